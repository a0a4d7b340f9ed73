package vendors

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// TestSeveralAddresses: at vendors that keep a record for each address a name
// has whichever addresses are wanted one after the other, and those of others
// beside them, which stay as they are.
func TestSeveralAddresses(t *testing.T) {
	const first, second = "192.0.2.1", "192.0.2.2" // somebody else's
	for name, fresh := range map[string]func() (host, conf string, v *vendor, h http.Handler, have func() []string){
		"cloudflare": func() (string, string, *vendor, http.Handler, func() []string) {
			v := newCloudflare(&cfRecord{ID: "a", Type: "A", Name: "home.example.org", Content: first, TTL: 300}, &cfRecord{ID: "b", Type: "A", Name: "home.example.org", Content: second, TTL: 300, Proxied: true})
			return "api.cloudflare.com", cfAccount + cfHome, &v.vendor, v, func() (list []string) {
				for _, r := range v.records {
					list = append(list, r.Content)
				}
				return list
			}
		},
		"digitalocean": func() (string, string, *vendor, http.Handler, func() []string) {
			v := newDigitalOcean(&doRecord{ID: 1, Type: "A", Name: "home", Data: first, TTL: 300}, &doRecord{ID: 2, Type: "A", Name: "home", Data: second, TTL: 300})
			return "api.digitalocean.com", doAccount + doHome, &v.vendor, v, func() (list []string) {
				for _, r := range v.records {
					list = append(list, r.Data)
				}
				return list
			}
		},
		"porkbun": func() (string, string, *vendor, http.Handler, func() []string) {
			v := newPorkbun(&pbRecord{ID: "1", Type: "A", Name: "home.example.org", Content: first, TTL: "600"}, &pbRecord{ID: "2", Type: "A", Name: "home.example.org", Content: second, TTL: "600"})
			return "api.porkbun.com", pbAccount + pbHome, &v.vendor, v, func() (list []string) {
				for _, r := range v.records {
					list = append(list, r.Content)
				}
				return list
			}
		},
		"dnspod": func() (string, string, *vendor, http.Handler, func() []string) {
			v := newDNSPod(podRecord{ID: "1", TTL: "120", Value: first, Name: "home", LineID: "0", Type: "A"}, podRecord{ID: "2", TTL: "120", Value: second, Name: "home", LineID: "0", Type: "A"})
			return "dnsapi.cn", podAccount + podHome, &v.vendor, v, func() (list []string) {
				for _, r := range v.records {
					list = append(list, r.Value)
				}
				return list
			}
		},
		"ovh-api": func() (string, string, *vendor, http.Handler, func() []string) {
			v := newOVHAPI(ovhRecord{Type: "A", Sub: "home", Target: first}, ovhRecord{Type: "A", Sub: "home", Target: second})
			return "eu.api.ovh.com", ovhAccount + ovhHome, &v.vendor, v, func() (list []string) {
				for _, r := range v.live {
					list = append(list, r.Target)
				}
				return list
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			host, conf, v, handler, have := fresh()
			serve(t, handler, host)
			c := configure(t, v, conf)
			check := func(what string, others []string, wanted []netip.Addr) {
				t.Helper()
				want := slices.Clone(others)
				for _, a := range wanted {
					want = append(want, a.String())
				}
				slices.Sort(want)
				v.mu.Lock()
				got := have()
				v.mu.Unlock()
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Fatalf("%s: the name has %v, want %v", what, got, want)
				}
			}
			rng := rand.New(rand.NewPCG(1, 2))
			u := provider.Update{Hostname: "home.example.org", Family: config.IPv4}
			for round := range 20 {
				u.Published = nil
				if u.Addr.IsValid() {
					u.Published = append([]netip.Addr{u.Addr}, u.More...)
				}
				least := 1
				if round == 0 {
					least = 2 // a single one would take the place of one of those
				}
				var all []netip.Addr
				for _, n := range rng.Perm(6)[:least+rng.IntN(5-least)] {
					all = append(all, netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + n)}))
				}
				u.Addr, u.More = all[0], all[1:]
				if o := c.Send(t.Context(), provider.Origin{}, []provider.Update{u})[0]; !o.Class.Done() {
					t.Fatalf("round %d: %+v", round, o)
				}
				check("sent", []string{first, second}, all)
			}
			u.Published = append([]netip.Addr{u.Addr}, u.More...)
			u.More = []netip.Addr{netip.MustParseAddr("203.0.113.100"), netip.MustParseAddr("203.0.113.101")}
			c.compare(c.Send(t.Context(), provider.Origin{}, []provider.Update{u}), updated)
			c.compare(c.Remove(t.Context(), provider.Origin{}, []provider.Update{u}), updated)
			check("removed", []string{first, second}, nil)
			v.check(t)
		})
	}
}
