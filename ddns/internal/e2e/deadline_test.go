package e2e

import (
	"context"
	"strings"
	"testing"
	"time"
)

// A line that is dead further on: its link is up, its gateway answers, and
// nothing beyond does. Nothing is to be published, so that verification alone
// can tell. The record moves to the second line, follows that, and moves back
// a minute after the first has begun to answer again.
func TestALineThatIsDeadFurtherOn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	s := bareSite(t)
	realDNS(s)
	s.Router.ResolvConf("nameserver 127.0.0.1\n") // where nobody is
	lte, isp2 := s.AddWAN("lte", "isp2")
	isp2.Add("11.22.44.1/24")
	s.online("11.22.33.7")
	mobile := func(addr string) {
		lte.Flush(4)
		lte.Add(addr + "/24")
		lte.DefaultVia("11.22.44.1", "metric", "700")
	}
	mobile("11.22.44.8")
	s.start("[source.wan]\nmethod = \"interface\"\ninterface = \"wan\"\n[source.lte]\nmethod = \"interface\"\ninterface = \"lte\"\n" +
		strings.NewReplacer("[verify]", "source = [\"wan\", \"lte\"]\n\n[verify]", `"4s"`, `"8s"`).Replace(verifyConfig))
	seen := func(addr, source, note string) {
		t.Helper()
		s.d.WaitLog(ctx, addr+" published at dyn")
		s.d.WaitLog(ctx, home+": ipv4 seen by all 2 name servers after ")
		for _, at := range []string{dynServer1, dynServer2} {
			if got := s.lookup(at, "ip4", home); got != addr {
				t.Errorf("%s has %s, want %s", at, got, addr)
			}
		}
		if r, _ := status(t, s.d).Record(home, "ipv4"); r.Source != source || r.SourceNote != note || r.Verdict != "ok" || r.State != "published" {
			t.Errorf("status: %+v", r)
		}
	}
	seen("11.22.33.7", "wan", "")

	s.d.Mark()
	s.ISP.Run("nft", "add table ip dead; add chain ip dead in { type filter hook input priority 0; }; add rule ip dead in iifname isp0 ip daddr 45.67.89.0/24 drop")
	s.d.WaitLog(ctx, "warning: wan: nobody answers through wan, but name servers do through lte")
	s.d.WaitLog(ctx, home+": ipv4 now by source lte instead of wan")
	seen("11.22.44.8", "lte", "wan: nobody answers through wan")
	if a := s.ipv4Of("wan"); a != "11.22.33.7" {
		t.Errorf("the source has %q", a)
	}

	s.d.Mark()
	mobile("11.22.44.9")
	seen("11.22.44.9", "lte", "wan: nobody answers through wan")

	s.d.Mark()
	s.ISP.Run("nft", "delete table ip dead")
	good := s.d.WaitLog(ctx, "wan: name servers answer through wan again")
	s.state(home, "ipv4", "published")
	if r, _ := status(t, s.d).Record(home, "ipv4"); r.Source != "lte" || !strings.HasPrefix(r.SourceNote, "wan: good again") {
		t.Errorf("status: %+v", r)
	}
	back := s.d.WaitLog(ctx, home+": ipv4 now by source wan instead of lte")
	if d := since(good.At, back.At); d < 59*time.Second {
		t.Errorf("it moved back after %v", d)
	}
	seen("11.22.33.7", "wan", "")
	for _, word := range []string{"dark", "unverifiable", "diverted", "stale"} {
		if strings.Contains(s.d.Output(), home+": "+word) {
			t.Errorf("%s in the log:\n%s", word, s.d.Output())
		}
	}
}

// ipv4Of is the address that the status has of a source.
func (s *site) ipv4Of(name string) string {
	s.t.Helper()
	for _, src := range status(s.t, s.d).Sources {
		if src.Name == name && src.Family == "ipv4" {
			return src.Address
		}
	}
	return ""
}
