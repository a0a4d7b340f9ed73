package e2e

import (
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// Two WANs: when the preferred one loses its carrier the other's address is
// published, by a request that leaves through the other.
func TestTheSecondWANTakesOver(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	lte, isp2 := s.AddWAN("lte", "isp2")
	isp2.Add("11.22.44.1/24")
	s.online("11.22.33.7")
	lte.Add("11.22.44.8/24")
	lte.DefaultVia("11.22.44.1", "metric", "700")
	s.start("[source.wan]\nmethod = \"interface\"\ninterface = \"wan\"\n[source.lte]\nmethod = \"interface\"\ninterface = \"lte\"\n" +
		s.plain(`source = ["wan", "lte"]`))
	s.settled("11.22.33.7")
	s.WAN.Unplug()
	r := s.settled("11.22.44.8")
	if from := r.Remote.Addr().String(); from != "11.22.44.8" {
		t.Errorf("the request came from %s", from)
	}
	s.d.WaitLog(t.Context(), home+": ipv4 now by source lte instead of wan")
	if r, _ := s.d.Status().Record(home, "ipv4"); r.Source != "lte" || r.SourceNote != "wan: wan has no carrier" {
		t.Errorf("record %+v", r)
	}
}

// The source names a line that carries IPv6 alone, as a tunnel's, and the
// provider is reached by IPv4 alone: the request leaves by the other line.
func TestProviderOfTheOtherFamily(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	six, far := s.AddWAN("six", "isp2")
	far.Add("2a00:db8:6::1/64", "nodad")
	s.online("11.22.33.7")
	s.start("[source.wan]\ninterface = \"six\"\n" + s.plain(v6))
	six.Add("2a00:db8:6::2/64", "nodad")
	six.DefaultVia("2a00:db8:6::1")
	r := s.settled("2a00:db8:6::2")
	if from := r.Remote.Addr().String(); from != "11.22.33.7" {
		t.Errorf("the request came from %s", from)
	}
}
