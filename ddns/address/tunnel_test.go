package address

import (
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// TestTunnelsAreNamed: each tunnel's address is explained by its kind, whether
// it is taken or not.
func TestTunnelsAreNamed(t *testing.T) {
	snap := router(on(wan, "8.8.4.4/24"), on(4, "2a02:8::2/64"), on(5, "10.9.0.2/24"), on(6, "192.0.0.2/32"))
	snap.Links = append(snap.Links,
		netwatch.Link{Index: 4, Name: "6in4-he", Up: true, Carrier: true, PointToPoint: true, Kind: "sit"},
		netwatch.Link{Index: 5, Name: "wg0", Up: true, Carrier: true, PointToPoint: true, Kind: "wireguard"},
		netwatch.Link{Index: 6, Name: "ds-wan", Up: true, Carrier: true, PointToPoint: true, Kind: "ip6tnl"})
	all, answers := NewSet([]config.Source{{Name: "he", Method: "interface", Interface: "6in4-he"}}).Explain(snap)
	want := map[string]string{"wan": "", "6in4-he": "6in4 tunnel", "wg0": "WireGuard tunnel", "ds-wan": "tunnel in IPv6 (DS-Lite, MAP-E)"}
	for _, c := range all["he"] {
		if c.Tunnel != want[c.Interface] || c.Taken != (c.Interface == "6in4-he") {
			t.Errorf("%+v", c)
		}
	}
	if len(all["he"]) != 4 || answers[1].Addr.String() != "2a02:8::2" {
		t.Errorf("%+v, %+v", all["he"], answers[1])
	}
}

// TestVRF: a device that is found in a VRF is bound to like one that is named;
// in a bridge it is not.
func TestVRF(t *testing.T) {
	for kind, bound := range map[string]bool{"vrf": true, "bridge": false} {
		snap := router(on(wan, "8.8.4.4/24"))
		snap.Links = append(snap.Links, netwatch.Link{Index: 4, Name: "vrf-wan", Up: true, Carrier: true, Kind: kind})
		snap.Links[1].Master = 4
		snap.Routes[0].Table = 10
		a := answer(t, config.Source{Name: "wan", Method: "auto", Interface: "auto"}, snap, config.IPv4)
		if a.Addr.String() != "8.8.4.4" || a.Interface != "wan" || a.Named != bound {
			t.Errorf("%s: %+v", kind, a)
		}
	}
}
