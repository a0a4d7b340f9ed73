package publish

import (
	"net/netip"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// TestOrigin: requests leave by the account's device if it has one, and by the
// source's else; the source's address belongs to the source's device alone.
func TestOrigin(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	addr := netip.MustParseAddr("8.8.4.4")
	for _, c := range []struct {
		bind   string
		named  bool
		device string
		from   netip.Addr
	}{
		{"", false, "", netip.Addr{}},
		{"", true, "wan0", addr},
		{"wan0", true, "wan0", addr},
		{"lte0", true, "lte0", netip.Addr{}},
		{"lte0", false, "lte0", netip.Addr{}},
	} {
		core := NewCore(new(quiet), func() float64 { return 0.5 })
		record := Record{Key: Key{host, "p", config.IPv4}, Source: "wan", Enabled: true, Identity: "1"}
		core.Configure(now, []Record{record}, []Account{{Name: "p", Identity: "1", Bind: c.bind, Provider: newSimProvider(t, newSimNet(), 1)}}, nil)
		core.Observe(now, []address.Answer{{Source: "wan", Family: config.IPv4, Addr: addr, From: addr, Interface: "wan0", Named: c.named}})
		jobs := core.Due(now)
		if len(jobs) != 1 {
			t.Fatalf("%+v: %d requests", c, len(jobs))
		}
		if o := jobs[0].Origin; o.Device != c.device || o.Addr != c.from {
			t.Errorf("bind %q, interface named %v: from %v by %q, want %v by %q", c.bind, c.named, o.Addr, o.Device, c.from, c.device)
		}
	}
}
