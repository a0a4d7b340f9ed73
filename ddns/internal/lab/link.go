package lab

import (
	"strconv"
	"strings"
)

// Link is a network device of a namespace, by name: it may go and come back.
type Link struct {
	NS   *Namespace
	Name string
	peer *Link
}

// Link returns a handle on a device, which need not exist yet.
func (ns *Namespace) Link(name string) *Link { return &Link{NS: ns, Name: name} }

// Peer returns the other end of a wire.
func (k *Link) Peer() *Link { return k.peer }

func (k *Link) ip(args ...string) {
	k.NS.lab.Helper()
	k.NS.IP(args...)
}

// Add adds an address such as "198.18.0.7/24"; more are words of `ip address
// add`: "peer", "nodad", "preferred_lft", …
func (k *Link) Add(cidr string, more ...string) {
	k.NS.lab.Helper()
	k.ip(append([]string{"address", "add", cidr, "dev", k.Name}, more...)...)
}

// Replace adds an address or changes its lifetimes and flags.
func (k *Link) Replace(cidr string, more ...string) {
	k.NS.lab.Helper()
	k.ip(append([]string{"address", "replace", cidr, "dev", k.Name}, more...)...)
}

// Del removes an address.
func (k *Link) Del(cidr string) {
	k.NS.lab.Helper()
	k.ip("address", "del", cidr, "dev", k.Name)
}

// Flush removes all addresses of a family: 4, 6, or 0 for both.
func (k *Link) Flush(family int) {
	k.NS.lab.Helper()
	args := []string{"address", "flush", "dev", k.Name}
	if family != 0 {
		args = append([]string{"-" + strconv.Itoa(family)}, args...)
	}
	k.ip(args...)
}

// Up sets the device administratively up.
func (k *Link) Up() { k.NS.lab.Helper(); k.ip("link", "set", k.Name, "up") }

// Down sets the device administratively down; its peer loses the carrier.
func (k *Link) Down() { k.NS.lab.Helper(); k.ip("link", "set", k.Name, "down") }

// Unplug takes the carrier away: the device stays up, its peer goes down (and
// loses its IPv6 addresses and its routes).
func (k *Link) Unplug() { k.NS.lab.Helper(); k.peer.Down() }

// Plug gives the carrier back.
func (k *Link) Plug() { k.NS.lab.Helper(); k.peer.Up() }

// Delete removes the device, and a wire's other end with it.
func (k *Link) Delete() { k.NS.lab.Helper(); k.ip("link", "del", k.Name) }

// Recreate makes a deleted wire again: the same names, new indexes.
func (k *Link) Recreate() {
	k.NS.lab.Helper()
	k.NS.lab.Wire(k.NS, k.Name, k.peer.NS, k.peer.Name)
}

// Rename changes the device's name, taking it down for it where the kernel
// wants that; the handle follows.
func (k *Link) Rename(name string) {
	k.NS.lab.Helper()
	if _, _, err := k.NS.Output(Tool(k.NS.lab, "ip"), "link", "set", k.Name, "name", name); err != nil {
		k.Down()
		k.ip("link", "set", k.Name, "name", name)
		k.Name = name
		k.Up()
	}
	k.Name = name
}

// Master puts the device under a bridge or VRF; "" takes it out.
func (k *Link) Master(name string) {
	k.NS.lab.Helper()
	if name == "" {
		k.ip("link", "set", k.Name, "nomaster")
		return
	}
	k.ip("link", "set", k.Name, "master", name)
}

// Bridge makes a bridge, up.
func (ns *Namespace) Bridge(name string) *Link {
	ns.lab.Helper()
	ns.IP("link", "add", name, "type", "bridge")
	k := ns.Link(name)
	k.Up()
	return k
}

// Index returns the kernel's number of the device.
func (k *Link) Index() int {
	k.NS.lab.Helper()
	link, err := k.NS.handle.LinkByName(k.Name)
	if err != nil {
		k.NS.lab.Fatalf("lab: %s: %s: %v", k.NS.Name, k.Name, err)
	}
	return link.Attrs().Index
}

// Packets returns how many packets the device received and sent so far.
func (k *Link) Packets() (received, sent uint64) {
	k.NS.lab.Helper()
	link, err := k.NS.handle.LinkByName(k.Name)
	if err != nil {
		k.NS.lab.Fatalf("lab: %s: %s: %v", k.NS.Name, k.Name, err)
	}
	s := link.Attrs().Statistics
	return s.RxPackets, s.TxPackets
}

// DefaultVia makes the default route of the gateway's family through the
// device, replacing one of the same metric; more are words of `ip route`:
// "metric", "table", "src", … A gateway of "" is for point-to-point devices
// (IPv4).
func (k *Link) DefaultVia(gateway string, more ...string) {
	k.NS.lab.Helper()
	args := []string{"-4", "route", "replace", "default"}
	if gateway != "" {
		args = append(args, "via", gateway)
		if strings.Contains(gateway, ":") {
			args[0] = "-6"
		}
	}
	k.ip(append(append(args, "dev", k.Name), more...)...)
}

// NoDefault removes the device's default route of a family (4 or 6).
func (k *Link) NoDefault(family int, more ...string) {
	k.NS.lab.Helper()
	k.ip(append([]string{"-" + strconv.Itoa(family), "route", "del", "default", "dev", k.Name}, more...)...)
}

// Deafen makes packets to a neighbour of the link (a gateway, a server) go
// nowhere, without any error: a SYN is never answered. Undeafen ends it.
func (k *Link) Deafen(neighbour string) {
	k.NS.lab.Helper()
	k.ip("neighbour", "replace", neighbour, "lladdr", "02:00:00:00:00:01", "dev", k.Name, "nud", "permanent")
}

// Undeafen undoes Deafen.
func (k *Link) Undeafen(neighbour string) {
	k.NS.lab.Helper()
	k.ip("neighbour", "del", neighbour, "dev", k.Name)
}
