package seizure

import (
	"net/netip"
	"sync"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// Trouble is what is wrong behind A's update interface, while it goes on
// saying `good`.
type Trouble int

// The troubles.
const (
	None    Trouble = iota
	Forgets         // no server gets to know
	OneLate         // the fifth server does not get to know
	Error           // it says `911`, and nothing is done
)

// front is what stands behind A's update interface.
type front struct {
	mu      sync.Mutex
	trouble Trouble
}

// fronts starts the update interfaces of A and B. What they are told goes to
// their name servers before they answer.
func (w *World) fronts(world *lab.Namespace) {
	w.A = w.Provider(world, lab.ProviderOptions{Addr: frontA, Zone: "dyn.net"})
	w.A.Account("user", "s3cret-word", HomeA, Office)
	w.A.Handle(func(r *lab.Request) lab.Reply {
		w.front.mu.Lock()
		defer w.front.mu.Unlock()
		if w.front.trouble == Error {
			return lab.Reply{Body: "911"}
		}
		reply := w.A.Answer(r)
		if w.front.trouble != Forgets {
			w.tellA(w.front.trouble)
		}
		return reply
	})
	w.B = w.Provider(world, lab.ProviderOptions{Addr: frontB, Zone: "duckdns.org"})
	w.B.Account("", "t0ken-word", HomeB)
	w.B.Handle(func(r *lab.Request) lab.Reply {
		reply := w.B.Answer(r)
		if err := w.serverB.Update("duckdns.org", HomeB, ipv4(w.B.Zone.Addrs(HomeB))...); err != nil {
			return lab.Reply{Status: 500, Body: err.Error()}
		}
		return reply
	})
	w.local = w.Resolver(w.Router, "127.0.0.1", map[string]string{w.A.Host: frontA, w.B.Host: frontB})
	w.Router.ResolvConf("nameserver 127.0.0.1\n")
}

// tellA gives A's servers what A was told.
func (w *World) tellA(t Trouble) {
	servers := w.serversA
	if t == OneLate {
		servers = servers[:1]
	}
	for _, s := range servers {
		for _, name := range []string{HomeA, Office} {
			if err := s.Update("dyn.net", name, ipv4(w.A.Zone.Addrs(name))...); err != nil {
				w.Logf("seizure: %v", err)
			}
		}
	}
}

// Trouble makes something go wrong at A; None puts it right.
func (w *World) Trouble(t Trouble) {
	w.front.mu.Lock()
	defer w.front.mu.Unlock()
	if w.front.trouble = t; t == None {
		w.tellA(t)
	}
}

// Remove takes a name out of A's servers, and Trouble(None) puts it back.
func (w *World) Remove(name string) {
	w.Helper()
	for _, s := range w.serversA {
		if err := s.Update("dyn.net", name); err != nil {
			w.Fatalf("seizure: %v", err)
		}
	}
}

func ipv4(all []netip.Addr) (list []netip.Addr) {
	for _, a := range all {
		if a.Is4() {
			list = append(list, a)
		}
	}
	return list
}
