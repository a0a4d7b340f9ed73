package lab_test

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

func TestInjectorChangesAddresses(t *testing.T) {
	l := lab.New(t)
	in := l.WAN.Injector()
	before := lab.Now()
	at := in.Add("198.18.0.7/24", 0, nil)
	if at < before || at > lab.Now() {
		t.Errorf("time %d is not between %d and now", at, before)
	}
	in.Add("2001:db8::7/64", unix.IFA_F_NODAD, &lab.Lifetimes{Preferred: 100 * time.Second, Valid: lab.Forever})
	a := l.WAN.WaitAddr(t.Context(), "2001:db8::/64")
	if a.Preferred == 0 || a.Preferred > 100*time.Second {
		t.Errorf("preferred for %v", a.Preferred)
	}
	in.Del("198.18.0.7/24")
	for _, a := range l.WAN.Addrs() {
		if a.Prefix.Addr().Is4() {
			t.Errorf("%v is left", a.Prefix)
		}
	}
}

func TestDevicesComeAndGo(t *testing.T) {
	l := lab.New(t)
	first := l.WAN.Index()
	l.WAN.Add("198.18.0.7/24")
	l.WAN.Delete()
	if l.WAN.Addrs() != nil {
		t.Error("deleted device has addresses")
	}
	l.WAN.Recreate()
	if second := l.WAN.Index(); second == first {
		t.Errorf("index %d again", second)
	}
	l.WAN.Rename("uplink")
	l.WAN.Add("198.18.0.8/24")
	l.WAN.WaitAddr(t.Context(), "198.18.0.8/32")
	br := l.Router.Bridge("br-wan")
	l.WAN.Master("br-wan")
	l.WAN.Master("")
	br.Delete()
	wan2, _ := l.AddWAN("wan2", "isp2")
	wan2.Add("198.18.2.7/24")
}

func TestCarrierLossKeepsAddresses(t *testing.T) {
	l := lab.New(t)
	l.WAN.Add("198.18.0.7/24")
	l.WAN.Unplug()
	if len(l.WAN.Addrs()) == 0 {
		t.Error("addresses are gone")
	}
	l.WAN.Plug()
}

func TestTunStandsInForPPP(t *testing.T) {
	l := lab.New(t)
	ppp := l.Router.Tun("ppp0")
	local, remote := netip.MustParseAddr("198.18.5.2"), netip.MustParseAddr("198.18.5.1")
	ppp.Dial(local, remote)
	first := ppp.Index()
	a := ppp.WaitAddr(t.Context(), "198.18.5.2/32")
	if a.Peer != remote {
		t.Errorf("peer is %v", a.Peer)
	}
	ppp.WaitDefault(t.Context(), 4)
	l.ISP.Link("lo").Add("198.18.6.1/32")
	p := l.Provider(l.ISP, lab.ProviderOptions{Addr: "198.18.6.1"})
	p.Queue(lab.Reply{Body: "hello\n"})
	if got := l.Router.Run("busybox", "wget", "-q", "-O", "-", "http://198.18.6.1/"); got != "hello\n" {
		t.Errorf("got %q", got)
	}
	ppp.Hangup()
	l.Router.Wait(t.Context(), "ppp0 is gone", func() bool { return ppp.Addrs() == nil })
	ppp.Dial(local.Next(), remote)
	if second := ppp.Index(); second == first {
		t.Errorf("index %d again", second)
	}
	ppp.WaitAddr(t.Context(), "198.18.5.3/32")
}

func TestWorldIsReachedThroughISP(t *testing.T) {
	l := lab.New(t)
	w := l.World()
	l.ISPLink.Add("198.18.0.1/24")
	l.ISP.Link("core0").Add("198.18.9.1/24")
	w.Link("net0").Add("198.18.9.2/24")
	w.Link("net0").DefaultVia("198.18.9.1")
	l.WAN.Add("198.18.0.7/24")
	l.WAN.DefaultVia("198.18.0.1")
	p := l.Provider(w, lab.ProviderOptions{Addr: "198.18.9.2"})
	p.Queue(lab.Reply{Body: "hello\n"})
	if got := l.Router.Run("busybox", "wget", "-q", "-O", "-", "http://198.18.9.2/"); got != "hello\n" {
		t.Errorf("got %q", got)
	}
	if r := p.NextRequest(t.Context()); r.Remote.Addr() != netip.MustParseAddr("198.18.0.7") {
		t.Errorf("request from %v", r.Remote)
	}
}
