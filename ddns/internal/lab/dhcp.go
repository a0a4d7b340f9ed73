package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Pool is what a DHCP server gives out.
type Pool struct {
	First, Last string        // addresses; Last may be empty for just one
	Bits        int           // prefix length, default 24
	Router      string        // default: the server's own address
	DNS         string        // default: none
	Lease       time.Duration // default, and least, two minutes
}

// DHCPServer is dnsmasq, on a device of the provider of internet access.
type DHCPServer struct {
	*Process
	link   *Link
	leases string
}

// DHCPServer starts one; it is ready when this returns. The device needs an
// address in the pool's network.
func (k *Link) DHCPServer(ctx context.Context, pool Pool) *DHCPServer {
	k.NS.lab.Helper()
	s := &DHCPServer{link: k, leases: filepath.Join(k.NS.lab.TempDir(), "leases")}
	s.start(ctx, pool)
	return s
}

func (s *DHCPServer) start(ctx context.Context, pool Pool) {
	s.link.NS.lab.Helper()
	if pool.Last == "" {
		pool.Last = pool.First
	}
	if pool.Bits == 0 {
		pool.Bits = 24
	}
	network, err := netip.MustParseAddr(pool.First).Prefix(pool.Bits)
	if err != nil {
		s.link.NS.lab.Fatalf("lab: %v", err)
	}
	args := []string{
		// No daemon, no other user (it would lose its parent's protection, and
		// cannot change in a user namespace), nothing from the machine's files.
		"--no-daemon", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--port=0", "--log-dhcp",
		"--interface=" + s.link.Name, "--except-interface=lo", "--bind-interfaces",
		"--dhcp-authoritative", "--no-ping", "--dhcp-leasefile=" + s.leases,
		fmt.Sprintf("--dhcp-range=%s,%s,%s,%d", pool.First, pool.Last, mask(network.Bits()), max(int(pool.Lease.Seconds()), 120)),
	}
	if pool.Router != "" {
		args = append(args, "--dhcp-option=option:router,"+pool.Router)
	}
	if pool.DNS != "" {
		args = append(args, "--dhcp-option=option:dns-server,"+pool.DNS)
	}
	s.Process = s.link.NS.Spawn("dnsmasq", args...)
	s.WaitLine(ctx, "sockets bound exclusively to interface")
}

// mask writes a prefix length as a netmask.
func mask(bits int) string {
	m := ^uint32(0) << (32 - bits)
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String()
}

// Switch replaces the server by one with another pool that knows no lease: a
// client that renews is refused (NAK) if the server still hears it, and gets
// an address of the new pool. It is ready when this returns.
func (s *DHCPServer) Switch(ctx context.Context, pool Pool) {
	s.link.NS.lab.Helper()
	s.Stop()
	if err := os.Remove(s.leases); err != nil && !os.IsNotExist(err) {
		s.link.NS.lab.Fatalf("lab: %v", err)
	}
	s.start(ctx, pool)
}

// DHCPClient is busybox udhcpc, as OpenWrt runs it, with a script that sets
// the address first and the default route after it.
type DHCPClient struct {
	*Process
	link *Link
}

// DHCPOrder is the order in which the client's script changes an address.
type DHCPOrder int

// The orders of a change of address.
const (
	// AddFirst is netifd's: the new address, its route, then the old one goes.
	AddFirst DHCPOrder = iota
	// FlushFirst removes the old address, then adds the new one and its route.
	FlushFirst
	// FlushAlways is FlushFirst even for the same address: a renewal removes it
	// and adds it again.
	FlushAlways
)

// script is run by udhcpc with what it got in its environment.
const script = `#!/bin/sh
if [ -n "$mask" ]; then new="$ip/$mask"; else new="$ip/24"; fi
olds=$($IP -4 -o address show dev $interface scope global | while read -r _ _ _ a _; do echo $a; done)
case $1 in
deconfig)
	$IP -4 address flush dev $interface
	$IP link set $interface up
	;;
bound|renew)
	case $ORDER:$olds in
	1:$new) ;;
	[12]:*) $IP -4 address flush dev $interface ;;
	esac
	$IP address replace $new dev $interface valid_lft $lease preferred_lft $lease
	for r in $router; do $IP route replace default via $r dev $interface; break; done
	if [ $ORDER = 0 ]; then
		for old in $olds; do
			if [ $old != $new ]; then
				# Its route goes with the old network, if it used it; the new one is there.
				$IP address del $old dev $interface
			fi
		done
		for r in $router; do $IP route replace default via $r dev $interface; break; done
	fi
	if [ -n "$dns" ]; then
		for d in $dns; do echo nameserver $d; done >/etc/resolv.conf
	fi
	;;
esac
echo "script: $1 $ip done"
`

// DHCPClient starts one on the device. Wait for what it does with
// Link.WaitAddr, Link.WaitDefault or Done.
func (k *Link) DHCPClient(order DHCPOrder) *DHCPClient {
	k.NS.lab.Helper()
	path := filepath.Join(k.NS.lab.TempDir(), "udhcpc.script")
	text := "#!/bin/sh\nIP=" + Tool(k.NS.lab, "ip") + "\nORDER=" + strconv.Itoa(int(order)) + "\n" + script
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		k.NS.lab.Fatalf("lab: %v", err)
	}
	return &DHCPClient{link: k, Process: k.NS.Spawn("busybox", "udhcpc", "-f", "-i", k.Name, "-s", path, "-t", "5", "-T", "1", "-A", "1")}
}

// Done waits until the script has finished handling an event ("bound",
// "renew", "deconfig", "nak") since the start or the last Mark.
func (c *DHCPClient) Done(ctx context.Context, event string) {
	c.link.NS.lab.Helper()
	c.WaitLine(ctx, "script: "+event+" ")
}

// Renew asks the server for the lease again (SIGUSR1). After a Switch this
// ends in a NAK and, as busybox waits 3 s then, in a new lease after that;
// Rediscover is the quick way.
func (c *DHCPClient) Renew() {
	c.link.NS.lab.Helper()
	c.Mark()
	c.Signal(unix.SIGUSR1)
}

// Release gives the lease back and takes the address away (SIGUSR2), and
// waits for that.
func (c *DHCPClient) Release(ctx context.Context) {
	c.link.NS.lab.Helper()
	c.Mark()
	c.Signal(unix.SIGUSR2)
	c.Done(ctx, "deconfig")
	c.WaitLine(ctx, "entering released state")
}

// Rediscover releases the lease and gets a new one, and waits for that.
func (c *DHCPClient) Rediscover(ctx context.Context) {
	c.link.NS.lab.Helper()
	c.Release(ctx)
	c.Mark()
	c.Signal(unix.SIGUSR1)
	c.Done(ctx, "bound")
}
