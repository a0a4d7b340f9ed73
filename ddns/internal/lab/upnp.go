package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Gateway is a router that does NAT and tells those behind it, by PCP, NAT-PMP
// and UPnP, which address it has outside: Debian's miniupnpd.
type Gateway struct {
	*Process
	Outside *Link
}

// Gateway starts one in a namespace, between two of its links that have
// addresses; more are lines of its configuration, "enable_upnp=no" for instance.
func (ns *Namespace) Gateway(inside, outside *Link, more ...string) *Gateway {
	ns.lab.Helper()
	ns.Sysctl("net/ipv4/ip_forward", "1")
	// The kernel keeps other addresses when the first of a network goes.
	ns.Sysctl("net/ipv4/conf/all/promote_secondaries", "1")
	ns.Sysctl("net/ipv4/conf/"+outside.Name+"/promote_secondaries", "1")
	dir := ns.lab.TempDir()
	conf := filepath.Join(dir, "miniupnpd.conf")
	text := fmt.Sprintf("ext_ifname=%s\nlistening_ip=%s\nsecure_mode=no\nhttp_port=5555\nuuid=00000000-0000-0000-0000-000000000001\n"+
		"allow 1024-65535 0.0.0.0/0 1024-65535\n", outside.Name, inside.Name)
	for _, key := range []string{"enable_natpmp", "enable_upnp"} {
		if !strings.Contains(strings.Join(more, "\n"), key) {
			text += key + "=yes\n"
		}
	}
	if err := os.WriteFile(conf, []byte(text+strings.Join(more, "\n")+"\n"), 0o644); err != nil {
		ns.lab.Fatalf("lab: %v", err)
	}
	return &Gateway{ns.Spawn("miniupnpd", "-d", "-f", conf, "-P", filepath.Join(dir, "pid")), outside}
}

// Readdress gives the gateway another address outside, as a carrier does: the
// new one comes, then the old one goes.
func (g *Gateway) Readdress(from, to string) {
	g.lab.Helper()
	g.Outside.Add(to)
	g.Outside.Del(from)
}
