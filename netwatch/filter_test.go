package netwatch

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestOnlyDefaultRoutesArrive: the kernel keeps all other routes from the
// socket, and with them the wake-ups, whatever hosts are followed.
func TestOnlyDefaultRoutesArrive(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add wan type veth peer name isp")
		ip(t, "link set isp up")
		ip(t, "link set wan up")
		ip(t, "addr add 203.0.113.5/24 dev wan")
		w, err := prepare(nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer w.release()
		arrived := func() (routes int) {
			w.events.raw.Control(func(fd uintptr) {
				for {
					size, _, errno := receive(fd, w.buf)
					if errno != 0 {
						if errno != unix.EAGAIN {
							t.Error(errno)
						}
						return
					}
					if m, _, err := nextMessage(w.buf[:size]); err == nil && (m.kind == unix.RTM_NEWROUTE || m.kind == unix.RTM_DELROUTE) {
						routes++
					}
				}
			})
			return routes
		}
		steps := []struct {
			line string
			want int
		}{
			{"route add 198.51.100.0/24 via 203.0.113.1", 0},
			{"route add 198.51.100.7/32 via 203.0.113.1 table 1001", 0},
			{"-6 route add 2001:db8:1::/48 dev wan", 0},
			{"route del 198.51.100.0/24", 0},
			{"addr add 203.0.113.6/24 dev wan", 0}, // with a route of the local table
			{"route add default via 203.0.113.1", 1},
			{"-6 route add default dev wan", 1},
			{"route del default", 1},
			{"-6 route del default", 1},
			{"addr del 203.0.113.6/24 dev wan", 0},
			{"route del 198.51.100.7/32 table 1001", 0},
			{"-6 route del 2001:db8:1::/48", 0},
		}
		for _, hosts := range [][]MAC{nil, {nas}, nil} {
			w.asked = hosts
			if err := w.events.raw.Control(w.adopt); err != nil {
				t.Error(err)
			}
			for _, step := range steps {
				ip(t, step.line) // returns when the kernel has sent its messages
				if got := arrived(); got != step.want {
					t.Errorf("hosts %v: ip %s: %d messages about routes, want %d", hosts, step.line, got, step.want)
				}
			}
		}
	})
}
