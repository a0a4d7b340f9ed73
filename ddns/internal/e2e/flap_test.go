package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// D12: the same address comes back.
func TestSameAddressBack(t *testing.T) {
	sources(t, func(t *testing.T, source string) {
		s := newSite(t, lab.ProviderOptions{})
		s.start(source + s.plain())
		s.online("11.22.33.7")
		s.settled("11.22.33.7")
		for range 5 {
			s.online("11.22.33.7")
		}
		s.WAN.Flush(4)
		s.state(home, "ipv4", "waiting") // long enough to be noticed
		s.online("11.22.33.7")
		s.state(home, "ipv4", "published")
		s.online("11.22.33.8")
		s.settled("11.22.33.8")
		if n := len(s.p.Connected()); n != 2 {
			t.Errorf("%d connections for two addresses", n)
		}
	})
}

// D13: A, B, A. What finally holds is sent once at most, and is what the world
// has in the end; B may have gone out before A was back.
func TestThereAndBack(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.bare()
	s.start(onWAN + s.plain())
	s.WAN.Add("11.22.33.7/24")
	s.settled("11.22.33.7")
	in := s.WAN.Injector()
	in.Del("11.22.33.7/24")
	in.Add("11.22.33.8/24", 0, nil)
	in.Del("11.22.33.8/24")
	in.Add("11.22.33.7/24", 0, nil)
	s.ends("11.22.33.7", 2)
	s.online("11.22.33.9")
	s.p.Until(t.Context(), lab.Says("11.22.33.9"))
	count := map[string]int{}
	for _, r := range s.p.Requests() {
		count[r.URL.Query().Get("myip")]++
	}
	if count["11.22.33.7"] > 2 || count["11.22.33.8"] > 1 {
		t.Errorf("requests: %v", count)
	}
}

// ends waits until the address is published and nothing else is to be done,
// and checks how many requests there were since the last one looked at.
func (s *site) ends(addr string, most int) {
	s.t.Helper()
	first := len(s.p.Requests())
	s.record(home, "ipv4", addr+" is published for good", func(r lab.RecordStatus) bool {
		return r.State == "published" && r.Published == addr && r.NextAttempt == ""
	})
	if got := s.p.Zone.Addrs(home); len(got) != 1 || got[0].String() != addr {
		s.t.Errorf("the DNS has %v, want %s", got, addr)
	}
	if n := len(s.p.Requests()) - first; n > most {
		s.t.Errorf("%d requests more, at most %d", n, most)
	}
}

// D14: a hundred events within a second.
func TestHundredEvents(t *testing.T) {
	for name, pause := range map[string]time.Duration{"spread over a second": 9 * time.Millisecond, "at once": 0} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{})
			s.bare()
			s.ISP.IP("route", "add", "11.22.44.0/24", "dev", "isp0")
			s.start(onWAN + s.plain())
			s.WAN.Add("11.22.44.250/32")
			s.settled("11.22.44.250")
			s.WAN.Del("11.22.44.250/32")
			in := s.WAN.Injector()
			var tick <-chan time.Time
			if pause > 0 {
				ticker := time.NewTicker(pause)
				defer ticker.Stop()
				tick = ticker.C
			}
			last := ""
			before := len(s.p.Requests())
			for n := range 50 {
				if last != "" {
					in.Del(last + "/32")
				}
				last = fmt.Sprintf("11.22.44.%d", 100+n)
				in.Add(last+"/32", 0, nil)
				for range 2 {
					if tick != nil {
						<-tick
					}
				}
			}
			s.published(last)
			s.ends(last, 0)
			if n := len(s.p.Requests()) - before; n > 2 {
				t.Errorf("%d requests for a hundred events", n)
			}
		})
	}
}

// A provider that takes its time gets the newest address after it, and none
// of those between; there is one request at a time.
func TestSlowProviderGetsTheNewest(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.online("11.22.33.7")
	release := make(chan struct{})
	s.p.Queue(lab.Reply{Body: "good 11.22.33.7", After: release})
	s.start(s.plain())
	s.expect("11.22.33.7")
	for _, addr := range []string{"11.22.33.8", "11.22.33.9", "11.22.33.10"} {
		s.online(addr)
	}
	close(release)
	s.published("11.22.33.10")
	s.ends("11.22.33.10", 0)
	if n := len(s.p.Requests()); n > 3 {
		t.Errorf("%d requests", n)
	}
}
