package e2e

import (
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// quickly bounds how late a provider is told that could not be asked before:
// what failed at a change of the network is tried again each second.
const quickly = 2 * time.Second

// L5, R40: the router's resolver starts five seconds after the WAN.
func TestResolverLate(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	s.p = s.provider(lab.ProviderOptions{})
	s.Router.ResolvConf("nameserver 127.0.0.1\n")
	s.start(s.plain())
	s.online("11.22.33.7")
	s.d.WaitLog(t.Context(), "failed: ")
	s.p.NoRequestWithin(t.Context(), 5*time.Second)
	started := lab.Now()
	s.Resolver(s.Router, "127.0.0.1", nil, s.p.Zone)
	r := s.settled("11.22.33.7")
	if late := since(started, r.FirstByte); late > quickly {
		t.Errorf("request %v after the resolver's start", late)
	}
}

// R36: connections are refused at first.
func TestProviderLate(t *testing.T) {
	t.Parallel()
	s := bareSite(t)
	s.ISP.Link("lo").Add(server + "/32")
	s.Resolver(s.Router, "127.0.0.1", map[string]string{"members.dyn.test": server})
	s.start(account("dyn", &lab.Provider{URL: "http://members.dyn.test"}) + record(home, "dyn"))
	s.online("11.22.33.7")
	line := s.d.WaitLog(t.Context(), "failed: ").Text
	if want := "warning: home.dyn.test: ipv4 update at dyn failed: connecting: 45.67.89.1:80: connection refused; next attempt in "; len(line) < len(want) || line[:len(want)] != want {
		t.Errorf("log: %s", line)
	}
	started := lab.Now()
	s.p = s.Provider(s.ISP, lab.ProviderOptions{Addr: server})
	s.p.Account("user", "s3cret-word", home)
	r := s.settled("11.22.33.7")
	if late := since(started, r.FirstByte); late > quickly {
		t.Errorf("request %v after the provider's start", late)
	}
}

// The WAN was dead for a while: the new way out is tried at once, not when
// the back-off of the old one ends.
func TestNewWayEndsBackOff(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.p.Handle(func(*lab.Request) lab.Reply { return lab.Reply{Close: true} }) // R37
	s.online("11.22.33.7")
	s.start(s.plain())
	s.expect("11.22.33.7")
	if r := s.state(home, "ipv4", "retrying"); r.ErrorClass != "network" {
		t.Errorf("%+v", r)
	}
	s.p.Handle(nil)
	changed := lab.Now()
	s.online("11.22.33.8")
	r := s.settled("11.22.33.8")
	if late := since(changed, r.FirstByte); late > quickly {
		t.Errorf("request %v after the change", late)
	}
}
