package e2e

import (
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

const onNetwork = "[source.wan]\nnetwork = \"wan\"\n"

// A source with OpenWrt's name of a network follows netifd from device to
// device, and keeps what it knows while ubusd is away.
func TestNetworkOfOpenWrt(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	ubus := s.Router.Ubusd()
	other, far := s.AddWAN("other", "isp1")
	far.Add("44.55.66.1/24")
	other.Add("44.55.66.7/24")
	other.DefaultVia("44.55.66.1", "metric", "500")
	s.online("11.22.33.7")

	s.start(onNetwork + s.plain())
	s.d.WaitLog(t.Context(), "networks of OpenWrt: there is no ubus here")
	if note := s.d.Status().Sources[0].Note; note != "network wan: there is no ubus here" {
		t.Errorf("the note is %q", note)
	}
	if n := len(s.p.Requests()); n != 0 {
		t.Errorf("%d requests before anybody knows the device", n)
	}
	ubus.Networks(map[string]string{"wan": "wan", "lan": "br-lan"})
	ubus.Start()
	s.settled("11.22.33.7")

	<-ubus.Listening
	s.d.Mark()
	ubus.Networks(map[string]string{"wan": "other"})
	s.settled("44.55.66.7")
	if a := s.d.Status().Sources[0]; a.Interface != "other" {
		t.Errorf("source %+v", a)
	}

	ubus.Stop()
	s.d.Mark()
	other.Flush(4)
	other.Add("44.55.66.8/24") // the kernel is enough
	other.DefaultVia("44.55.66.1", "metric", "500")
	s.settled("44.55.66.8")
	ubus.Start()
	<-ubus.Listening
	s.d.Mark()
	ubus.Networks(map[string]string{"wan": "wan"})
	s.settled("11.22.33.7")

	// A reload keeps what is known; a network that is none is told.
	s.reload(onNetwork + s.plain() + "[source.lte]\nnetwork = \"wwan\"\n")
	if a := s.d.Status().Sources; a[0].Address != "11.22.33.7" || a[2].Note != "OpenWrt has no network wwan" {
		t.Errorf("after a reload: %+v", a)
	}
	s.quiet()
	s.d.Stop()
	if r := s.d.Command("addresses"); r.Status != 0 || !strings.Contains(r.Stdout, "no network wwan") {
		t.Errorf("addresses without the daemon: %+v", r)
	}
	if r := s.d.Command("run", "-once"); r.Status != 0 {
		t.Errorf("run -once: %+v", r)
	}
}

// At the start the answer of OpenWrt is waited for, with the log and with the
// choice among several sources.
func TestNetworkIsAwaited(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	other, far := s.AddWAN("other", "isp1")
	far.Add("44.55.66.1/24")
	other.Add("44.55.66.7/24")
	other.DefaultVia("44.55.66.1", "metric", "500")
	s.online("11.22.33.7")
	ubus := s.Router.Ubusd()
	ubus.Networks(map[string]string{"wan": "wan"})
	ubus.Start()
	answer := ubus.Hold()
	s.start(onNetwork + "[source.other]\ninterface = \"other\"\n" + s.plain(`source = ["wan", "other"]`))
	answer()
	s.settled("11.22.33.7")
	if log := s.d.Output(); strings.Contains(log, "has not told yet") {
		t.Error(log)
	}
	if r, _ := s.d.Status().Record(home, "ipv4"); r.Source != "wan" || r.SourceNote != "" {
		t.Errorf("record %+v", r)
	}
}
