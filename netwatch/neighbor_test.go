package netwatch

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

var (
	nas     = MAC{0x02, 0x11, 0x22, 0x33, 0x44, 0x55}
	printer = MAC{0x02, 0x11, 0x22, 0x33, 0x44, 0x66}
)

func neighborMessageOf(link uint32, addr string, mac MAC, nud uint16) []byte {
	head := body(byte(unix.AF_INET6), byte(0), u16(0), u32(link), u16(nud), byte(0), byte(unix.RTN_UNICAST))
	attrs := [][]byte{attr(unix.NDA_DST, netip.MustParseAddr(addr).AsSlice())}
	if nud&unix.NUD_FAILED == 0 {
		attrs = append(attrs, attr(unix.NDA_LLADDR, mac[:]))
	}
	return build(unix.RTM_NEWNEIGH, 0, head, attrs...)
}

// TestPresence follows one host through what the kernel tells of it.
func TestPresence(t *testing.T) {
	type step struct {
		what string
		m    []byte
		want string // of Neighbors; "": no new snapshot
	}
	const a, b = "2001:db8::a", "2001:db8::b"
	steps := []step{
		{"a stranger", neighborMessageOf(3, "2001:db8::1", MAC{2, 2, 2, 2, 2, 2}, unix.NUD_REACHABLE), ""},
		{"first word", neighborMessageOf(3, a, nas, unix.NUD_STALE), "a:0"},
		{"answers", neighborMessageOf(3, a, nas, unix.NUD_REACHABLE), ""},
		{"gets old", neighborMessageOf(3, a, nas, unix.NUD_STALE), ""},
		{"second address", neighborMessageOf(3, b, nas, unix.NUD_REACHABLE), "a:0 b:0"},
		{"is probed", neighborMessageOf(3, a, nas, unix.NUD_PROBE), ""},
		{"does not answer", neighborMessageOf(3, a, nas, unix.NUD_FAILED), "a:2 b:1"},
		{"the other gets old, which says nothing", neighborMessageOf(3, b, nas, unix.NUD_STALE), ""},
		{"fails again", neighborMessageOf(3, a, nas, unix.NUD_FAILED), ""},
		{"answers at the other", neighborMessageOf(3, b, nas, unix.NUD_REACHABLE), "a:2 b:0"},
		{"speaks from the first again", neighborMessageOf(3, a, nas, unix.NUD_STALE), "a:0 b:0"},
		{"a stranger fails", neighborMessageOf(3, "2001:db8::77", nas, unix.NUD_FAILED), ""},
		{"another host takes an address", neighborMessageOf(3, b, printer, unix.NUD_STALE), "a:0 b:0"},
		{"a stranger takes one", neighborMessageOf(3, b, MAC{2, 2, 2, 2, 2, 2}, unix.NUD_STALE), "a:0"},
		{"the same address on another link", neighborMessageOf(4, a, nas, unix.NUD_STALE), "a:0 a:0"},
		{"a link goes", linkMessage(unix.RTM_DELLINK, 3, "br-lan", 0, 0), "a:0"},
	}
	m := mirror{follow: []MAC{nas, printer}}
	m.snapshot(epoch)
	for _, s := range steps {
		applyTo(t, &m, epoch, s.m)
		got := ""
		if snap := m.snapshot(epoch); snap != nil {
			for _, n := range snap.Neighbors {
				got += fmt.Sprintf(" %s:%d", n.Addr.String()[len("2001:db8::"):], n.State)
			}
			got = got[1:]
		}
		if got != s.want {
			t.Errorf("%s: got %q, want %q", s.what, got, s.want)
		}
	}
}

// TestAddressesOfAHostAreBounded keeps the oldest and the newest.
func TestAddressesOfAHostAreBounded(t *testing.T) {
	m := mirror{follow: []MAC{nas}}
	const last = 1000
	for i := 1; i <= last; i++ {
		applyTo(t, &m, epoch, neighborMessageOf(3, fmt.Sprintf("2001:db8::%x", i), nas, unix.NUD_STALE))
	}
	first, newest := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", last))
	if n := m.neighbors; len(n) != perHost || n[0].Addr != first || n[perHost-1].Addr != newest {
		t.Errorf("kept %d: %v", len(n), n)
	}
}

func neighborsAre(want ...string) func(*Snapshot) bool {
	return func(s *Snapshot) bool {
		var got []string
		for _, n := range s.Neighbors {
			got = append(got, fmt.Sprint(n.Addr, " ", n.State))
		}
		return slices.Equal(got, want)
	}
}

// TestNeighborsOfTheKernel begins without any host, asks for one, then for
// another in its place, then for none.
func TestNeighborsOfTheKernel(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add br-lan type veth peer name host")
		ip(t, "link set host up")
		ip(t, "link set br-lan up")
		ip(t, "addr add 2001:db8::1/64 dev br-lan nodad")
		ip(t, "neigh add 2001:db8::a lladdr 02:11:22:33:44:55 nud stale dev br-lan")
		w := watch(t)
		until(t, w, "the address and no neighbour", func(s *Snapshot) bool { return has("br-lan", "2001:db8::1")(s) && len(s.Neighbors) == 0 })
		w.Follow([]MAC{nas})
		until(t, w, "what was known before", neighborsAre("2001:db8::a 0"))
		ip(t, "neigh add 2001:db8::b lladdr 02:11:22:33:44:66 nud reachable dev br-lan") // a stranger
		ip(t, "neigh add 2001:db8::c lladdr 02:11:22:33:44:55 nud reachable dev br-lan")
		until(t, w, "what comes", neighborsAre("2001:db8::a 0", "2001:db8::c 0"))
		ip(t, "neigh change 2001:db8::a nud failed dev br-lan")
		until(t, w, "a failure", neighborsAre("2001:db8::a 2", "2001:db8::c 1"))
		w.Follow([]MAC{printer})
		until(t, w, "another host", neighborsAre("2001:db8::b 0"))
		s, err := Take(printer, nas)
		if err != nil || len(s.Neighbors) != 2 { // the failed one has no hardware address any more
			t.Errorf("taken: %v, %+v", err, s.Neighbors)
		}
		w.Follow(nil)
		until(t, w, "none", neighborsAre())
		w.Follow([]MAC{nas})
		until(t, w, "one again", neighborsAre("2001:db8::c 0"))
		ip(t, "link del br-lan")
		until(t, w, "no link", neighborsAre())
	})
}

// TestStrangersDoNotWake: what the kernel is asked for is all that it queues.
func TestStrangersDoNotWake(t *testing.T) {
	for _, more := range []int{0, 99} {
		hosts := []MAC{nas}
		for i := range more {
			hosts = append(hosts, MAC{2, 9, 9, 9, 9, byte(i)})
		}
		inNamespace(t, func(t *testing.T) {
			ip(t, "link add br-lan type veth peer name host")
			ip(t, "link set br-lan up")
			ip(t, "link set host up")
			w, err := prepare(nil, hosts...)
			if err != nil {
				t.Error(err)
				return
			}
			defer w.release()
			var batch []string
			for i := range 200 {
				batch = append(batch, fmt.Sprintf("neigh add 2001:db8::%x lladdr 02:aa:22:33:44:%02x nud reachable dev br-lan", i+0x100, i))
			}
			for i := range 200 {
				batch = append(batch, fmt.Sprintf("neigh del 2001:db8::%x dev br-lan", i+0x100))
				batch = append(batch, fmt.Sprintf("neigh add 192.0.2.%d lladdr 02:11:22:33:44:55 nud reachable dev br-lan", i+1))
			}
			ipBatch(t, append(batch, "neigh add 2001:db8::a lladdr 02:11:22:33:44:55 nud stale dev br-lan"))
			seen := 0
			err = w.events.raw.Control(func(fd uintptr) {
				for {
					size, _, errno := receive(fd, w.buf)
					if errno != 0 {
						return
					}
					m, _, err := nextMessage(w.buf[:size])
					if n, ok, _ := parseNeighbor(m.body); err == nil && m.kind == unix.RTM_NEWNEIGH {
						seen++
						if !ok || n.MAC != nas && n.nud != unix.NUD_FAILED {
							t.Errorf("woken by %+v", n)
						}
					}
				}
			})
			// The deletions each fail the entry first, which has to be told.
			if err != nil || seen == 0 || seen > 201 {
				t.Errorf("%v, %d messages", err, seen)
			}
		})
	}
}

func FuzzParseNeighbor(f *testing.F) {
	for _, nud := range []uint16{unix.NUD_REACHABLE, unix.NUD_STALE, unix.NUD_FAILED, unix.NUD_PROBE} {
		f.Add(neighborMessageOf(3, "2001:db8::a", nas, nud))
	}
	f.Add(append(neighborMessageOf(3, "2001:db8::a", nas, unix.NUD_STALE), neighborMessageOf(3, "2001:db8::b", nas, unix.NUD_FAILED)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := mirror{follow: []MAC{nas}}
		for len(b) > 0 {
			msg, rest, err := nextMessage(b)
			if err != nil {
				break
			}
			_ = m.apply(msg, epoch)
			b = rest
		}
		for _, n := range m.neighbors {
			if n.MAC != nas || !n.Addr.Is6() || n.Link <= 0 {
				t.Errorf("kept %+v", n)
			}
		}
	})
}

// TestKindOfLink reads it from the kernel.
func TestKindOfLink(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add br-lan type bridge")
		s, err := Take()
		if err != nil {
			t.Error(err)
			return
		}
		if l, _ := s.LinkByName("br-lan"); l.Kind != "bridge" {
			t.Errorf("%+v", l)
		}
		if l, _ := s.LinkByName("lo"); l.Kind != "" {
			t.Errorf("%+v", l)
		}
	})
}
