package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// TestSoakVerificationMemory: what looking at the DNS costs of memory, for some
// numbers of records. The documentation has its figures.
func TestSoakVerificationMemory(t *testing.T) {
	if os.Getenv("WANBEACON_SOAK") != "1" {
		t.Skip("NOT RUN: takes long, and is part of `make soak` (WANBEACON_SOAK=1)")
	}
	release, err := lab.Release(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := bareSite(t)
	realDNS(s)
	s.Router.ResolvConf("nameserver 127.0.0.1\n") // where nobody is
	s.WAN.Add("11.22.33.7/24")
	s.WAN.DefaultVia(gateway)
	for _, records := range []int{1, 10, 50} {
		var rss [2]int
		for i, enabled := range []bool{false, true} {
			var b strings.Builder
			fmt.Fprintf(&b, "[daemon]\nstate_dir = \"$DIR/state\"\nsocket = \"$DIR/socket\"\n[provider.dyn]\ntype = \"rfc2136\"\nserver = %q\nzone = \"dyn.test\"\n[verify]\nenabled = %v\ninterval = \"5s\"\nroots = [%q]\n",
				dynServer1, enabled, rootServer)
			for n := range records {
				fmt.Fprintf(&b, "[[record]]\nhostname = \"h%d.dyn.test\"\nprovider = \"dyn\"\n", n)
			}
			s.d = s.Router.Daemon(release, b.String())
			what := "published at dyn"
			if enabled {
				what = "seen by all 2 name servers after "
			}
			for range records {
				s.d.WaitLog(t.Context(), what)
			}
			most := 0
			for range 25 { // five rounds
				time.Sleep(time.Second)
				most = max(most, s.usage().rss)
			}
			rss[i] = s.usage().rss
			t.Logf("%d records, verification %v: %d kB, at most %d kB", records, enabled, rss[i], most)
			s.d.Stop()
		}
		if more := rss[1] - rss[0]; more > 1500+60*records {
			t.Errorf("%d records: verification holds %d kB", records, more)
		}
	}
}
