package provider

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// TestPreparedRequestsAreTheSame compares, for every provider of the catalogue
// and each of its examples' accounts, what is sent with and without preparation.
func TestPreparedRequestsAreTheSame(t *testing.T) {
	prepared := 0
	for _, name := range catalogueNames(t) {
		d := catalogueFile(t, name)
		for n := range d.Examples {
			p := exampleAccount(t, d, inherit(d, n), "")
			if p.dns != nil || d.Family == "steps" {
				continue
			}
			with := p.prepared
			for _, addrs := range [][]string{{"203.0.113.7"}, {"2001:db8::7"}, {"203.0.113.7", "2001:db8::7"}} {
				var updates []Update
				for _, text := range addrs {
					addr := netip.MustParseAddr(text)
					if f := config.FamilyOf(addr); p.Supports(f) {
						updates = append(updates, Update{Hostname: "a-b.example.org", Family: f, Addr: addr, TTL: 5 * time.Minute})
					}
				}
				if len(updates) != len(addrs) || len(p.Group(updates)) > 1 {
					continue
				}
				p.prepared = with
				quick, err := p.updateRequest(updates, false)
				p.prepared.ipv4, p.prepared.ipv6, p.prepared.both = nil, nil, nil
				slow, slowErr := p.updateRequest(updates, false)
				if (err == nil) != (slowErr == nil) {
					t.Fatalf("%s: %v, unprepared %v", d.Name, err, slowErr)
				}
				if err != nil {
					continue
				}
				if quick.ready != "" {
					prepared++
				}
				if a, b := quick.bytes(), slow.bytes(); !bytes.Equal(a, b) || quick.origin() != slow.origin() || quick.family != slow.family {
					t.Errorf("%s: prepared %s%q, else %s%q", d.Name, quick.origin(), a, slow.origin(), b)
				}
			}
		}
	}
	if prepared < 100 {
		t.Errorf("%d requests were prepared", prepared)
	}
}
