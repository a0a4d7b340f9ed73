package witness

import (
	"context"
	"net/netip"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/internal/dnsworld"
)

// FuzzRead: whatever an answer says, it leads down, and only within its zone.
func FuzzRead(f *testing.F) {
	w := dnsworld.Usual()
	for _, q := range []struct {
		server, name string
		typ          uint16
	}{{"11.0.0.1", "org", dns.TypeNS}, {"11.0.1.1", "home.example.org", dns.TypeA}, {"11.0.2.1", "home.example.org", dns.TypeA}, {"11.0.2.1", "no.example.org", dns.TypeA}} {
		m, err := w.Ask(context.Background(), netip.AddrPortFrom(netip.MustParseAddr(q.server), 53), q.name, q.typ)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.Raw, "example.org", "home.example.org")
		f.Add(m.Raw, "", "home.example.org")
		f.Add(m.Raw, "org", "home.example.org")
	}
	f.Fuzz(func(t *testing.T, packet []byte, from, name string) {
		m, err := dns.Parse(packet)
		if err != nil || dns.CheckName(name) != nil || from != "" && dns.CheckName(from) != nil || !dns.InZone(name, from) {
			return
		}
		r := read(m, from, name, dns.TypeA)
		if len(r.values) > maxValues || len(r.chain) > maxInside {
			t.Fatalf("%+v", r)
		}
		if z := r.zone; z != nil {
			if len(z.name) <= len(from) || !dns.InZone(z.name, from) || !dns.InZone(name, z.name) || len(z.servers) == 0 || len(z.servers) > maxServers {
				t.Fatalf("from %q for %q: %+v", from, name, z)
			}
			for server, addrs := range z.glue {
				if len(addrs) > maxGlue || len(addrs) > 0 && !dns.InZone(server, from) {
					t.Fatalf("%s %v", server, addrs)
				}
			}
		}
	})
}
