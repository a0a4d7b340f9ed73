package columns

import (
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"
)

func TestColumnsAreAsWideAsTheirWidestCell(t *testing.T) {
	for _, table := range []string{
		"",
		"no table\n",
		"NAME\tTITLE\tNOTE\nnoip\tNo-IP\t\nduckdns\tDück DNS\ta long note, in no column\nx\t\tend\n",
		"  a\tb\n  ccc\td\n",
		"\nSOURCE\tFAMILY\nwan\tipv4\n",
		"broken\tlonger than any other cell of its column\nname\ttitle\tyes\n",
		"no end\tof the line",
	} {
		var want strings.Builder
		ref := tabwriter.NewWriter(&want, 0, 0, 2, ' ', 0)
		fmt.Fprint(ref, table)
		ref.Flush()

		var got strings.Builder
		w := NewWriter(&got)
		for _, piece := range strings.SplitAfter(table, "\t") {
			fmt.Fprint(w, piece)
		}
		if err := w.Flush(); err != nil || got.String() != want.String() {
			t.Errorf("%q: %v\n%s\nwant\n%s", table, err, got.String(), want.String())
		}
		w.Flush()
		if got.Len() != want.Len() {
			t.Errorf("%q: flushed twice", table)
		}
	}
}
