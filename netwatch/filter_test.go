package netwatch

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestOnlyDefaultRoutesArrive: the kernel keeps all other routes from the
// socket, and with them the wake-ups.
func TestOnlyDefaultRoutesArrive(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		ip(t, "link add wan type veth peer name isp")
		ip(t, "link set isp up")
		ip(t, "link set wan up")
		ip(t, "addr add 203.0.113.5/24 dev wan")
		events, err := subscribe()
		if err != nil {
			t.Fatal(err)
		}
		defer events.file.Close()
		arrived := func() (routes int) {
			buf := make([]byte, datagramBytes)
			events.raw.Control(func(fd uintptr) {
				for {
					size, _, errno := receive(fd, buf)
					if errno != 0 {
						if errno != unix.EAGAIN {
							t.Error(errno)
						}
						return
					}
					if m, _, err := nextMessage(buf[:size]); err == nil && (m.kind == unix.RTM_NEWROUTE || m.kind == unix.RTM_DELROUTE) {
						routes++
					}
				}
			})
			return routes
		}
		// ip returns when the kernel has sent its messages.
		for _, step := range []struct {
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
		} {
			ip(t, step.line)
			if got := arrived(); got != step.want {
				t.Errorf("ip %s: %d messages about routes, want %d", step.line, got, step.want)
			}
		}
	})
}
