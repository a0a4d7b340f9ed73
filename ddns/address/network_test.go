package address

import (
	"errors"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// A source with a network is on the device that OpenWrt says, and on none
// until it says one; never on that of the default route.
func TestNetwork(t *testing.T) {
	snap := router(on(wan, "11.22.33.7/24"), on(lan, "11.22.44.7/24"))
	source := config.Source{Name: "wan", Method: "auto", Network: "wwan"}
	set := NewSet([]config.Source{source, {Name: "other", Method: "auto", Interface: "auto"}})
	expect := func(addr, device, note string) {
		t.Helper()
		a := set.Answers(snap)[0]
		if got := a.Addr; (addr == "") == got.IsValid() || addr != "" && got.String() != addr || a.Interface != device || a.Note != note || !a.Named {
			t.Errorf("got %v on %q (named %v): %q", got, a.Interface, a.Named, a.Note)
		}
	}
	expect("", "", "OpenWrt has not told yet which device network wwan is on")
	if a := set.Answers(snap); !a[0].Untold || a[2].Untold {
		t.Errorf("untold: %v, %v", a[0].Untold, a[2].Untold)
	}
	set.Networks(nil, errors.New("there is no ubus here"))
	if set.Answers(snap)[0].Untold {
		t.Error("a failure is an answer")
	}
	expect("", "", "network wwan: there is no ubus here")
	set.Networks(map[string]string{"wan": "wan"}, nil)
	expect("", "", "OpenWrt has no network wwan")
	set.Networks(map[string]string{"wan": "wan", "wwan": ""}, nil)
	expect("", "", "network wwan is down")
	set.Networks(map[string]string{"wwan": "wan"}, nil)
	expect("11.22.33.7", "wan", "")
	set.Networks(map[string]string{"wwan": "br-lan"}, nil)
	expect("11.22.44.7", "br-lan", "")
	if list, _ := set.Explain(snap); len(list["wan"]) != 2 || list["wan"][0].Reason != "not on br-lan" || !list["wan"][1].Taken {
		t.Errorf("candidates %v", list["wan"])
	}
	set.Networks(map[string]string{"wwan": "wwan0"}, nil)
	expect("", "wwan0", "there is no interface wwan0")
	if a := set.Answers(snap)[2]; a.Addr.String() != "11.22.33.7" || a.Named {
		t.Errorf("a source without a network: %+v", a)
	}

	set.Networks(map[string]string{"wwan": "br-lan"}, nil)
	set.Answers(snap)
	fresh := NewSet([]config.Source{source})
	fresh.Inherit(set)
	set = fresh
	expect("11.22.44.7", "br-lan", "")
}
