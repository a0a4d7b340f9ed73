package netwatch

import (
	"testing"
)

func TestAddressComesAndGoes(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add wan type veth peer name isp")
		ip(t, "link set wan up")
		w := watch(t)
		first := <-w.Snapshots()
		if first.Seq != 1 {
			t.Errorf("first snapshot has Seq %d", first.Seq)
		}
		if l, ok := first.LinkByName("wan"); !ok || !l.Up || l.Carrier {
			t.Errorf("wan is %+v, %v", l, ok)
		}
		ip(t, "addr add 203.0.113.5/24 dev wan")
		s := until(t, w, "the address", func(s *Snapshot) bool { _, ok := addrOn(s, "wan", "203.0.113.5"); return ok })
		a, _ := addrOn(s, "wan", "203.0.113.5")
		if a.Bits != 24 || a.Peer.IsValid() || a.Scope != 0 || a.Flags != Permanent || !a.ValidUntil.IsZero() {
			t.Errorf("got %+v", a)
		}
		ip(t, "addr del 203.0.113.5/24 dev wan")
		until(t, w, "no address", func(s *Snapshot) bool { _, ok := addrOn(s, "wan", "203.0.113.5"); return !ok })
	})
}
