// Command coverage compares the catalogue with what other clients support.
//
// testdata/coverage.tsv lists, for each provider known to ddns-scripts, inadyn,
// ddclient, ddns-updater or ddns-go, the ids that they have for it. The command
// prints the ones that the catalogue lacks, with the reason where it is meant
// so, and fails if one has no reason.
package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

//go:embed testdata/coverage.tsv
var table string

// refused are the ids that are left out on purpose.
var refused = map[string]string{
	"emailonly":     "sends mail and updates no DNS: `[notify]` and `on_change` are for that",
	"example-qdm12": "a template in another client's source, no service",
	"onecom":        "scrapes a web page's login form, which breaks with each change of the page",
	"cnkuai":        "needs a captcha solved",
}

// closed are the services that exist no more.
var closed = map[string]string{
	"google-domains":     "sold to Squarespace in 2023, the interface was shut down",
	"dyndns1":            "Dyn's first protocol, long replaced by its second",
	"dnsdynamic":         "shut down",
	"dnspark":            "shut down",
	"cloudxns":           "shut down",
	"yandex-pdd":         "replaced by Yandex 360, which has no such interface",
	"hetzner-dns-legacy": "shut down in May 2026; hetzner-cloud is its successor",
}

// elsewhere are the ids that the catalogue has under another name.
var elsewhere = map[string]string{
	"generic-get": "generic",
}

func main() {
	missing, err := report(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if len(missing) > 0 {
		os.Exit(1)
	}
}

// report writes the comparison and returns what is missing without a reason.
func report(w io.Writer) (missing []string, err error) {
	c, broken := provider.Open("")
	if len(broken) > 0 {
		return nil, broken[0]
	}
	have := map[string]bool{}
	for _, n := range c.Names() {
		have[n] = true
	}
	lines := strings.Split(strings.TrimSpace(table), "\n")
	clients := strings.Split(lines[0], "\t")[4:]
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	covered, ids := 0, 0
	for _, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		name, theirs := cells[0], idsOf(clients, cells)
		ids += len(theirs)
		switch {
		case have[name] || have[elsewhere[name]]:
			covered++
		case closed[name] != "":
			fmt.Fprintf(t, "%s\tclosed\t%s\t%s\n", name, closed[name], strings.Join(theirs, " "))
		case refused[name] != "":
			fmt.Fprintf(t, "%s\trefused\t%s\t%s\n", name, refused[name], strings.Join(theirs, " "))
		default:
			missing = append(missing, name)
			fmt.Fprintf(t, "%s\tMISSING\t\t%s\n", name, strings.Join(theirs, " "))
		}
	}
	if err := t.Flush(); err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "\n%d of %d services that other clients have under %d ids are in the catalogue of %d; %d are missing\n",
		covered, len(lines)-1, ids, len(have), len(missing))
	return missing, nil
}

// idsOf lists a row's ids as client:id.
func idsOf(clients, cells []string) (ids []string) {
	for i, client := range clients {
		if 4+i >= len(cells) {
			break
		}
		for id := range strings.SplitSeq(cells[4+i], ",") {
			if id = strings.TrimSpace(id); id != "" {
				ids = append(ids, client+":"+id)
			}
		}
	}
	return ids
}
