package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// PrefixServer is kea, which delegates one prefix by DHCPv6 to whoever asks on
// a device of the provider of internet access (RFC 8415 section 6.3).
type PrefixServer struct {
	*Process
	link *Link
	path string
	net  string
}

// PrefixServer starts one that delegates this prefix, such as
// "2a00:db8:a::/56", for a minute at a time, asked for again after two seconds.
// Network is one that the device has an address in. The server is ready when
// this returns.
func (k *Link) PrefixServer(ctx context.Context, network, prefix string) *PrefixServer {
	k.NS.lab.Helper()
	dir := k.NS.lab.TempDir()
	s := &PrefixServer{link: k, path: filepath.Join(dir, "kea.json"), net: network}
	s.write(prefix)
	k.waitLinkLocal(ctx)
	s.Process = k.NS.Spawn("env", "KEA_PIDFILE_DIR="+dir, "KEA_LOCKFILE_DIR="+dir, Tool(k.NS.lab, "kea-dhcp6"), "-c", s.path)
	s.WaitLine(ctx, "DHCP6_STARTED")
	return s
}

// Switch makes it delegate another prefix: a client that asks for its own again
// gets the new one, and the old one with lifetimes of 0.
func (s *PrefixServer) Switch(prefix string) {
	s.link.NS.lab.Helper()
	s.write(prefix)
	s.Signal(unix.SIGHUP)
}

func (s *PrefixServer) write(prefix string) {
	s.link.NS.lab.Helper()
	addr, bits, _ := strings.Cut(prefix, "/")
	text := fmt.Sprintf(`{ "Dhcp6": {
 "interfaces-config": { "interfaces": [%[1]q] }, "lease-database": { "type": "memfile", "persist": false },
 "server-id": { "type": "LL", "persist": false },
 "preferred-lifetime": 60, "valid-lifetime": 120, "renew-timer": 2, "rebind-timer": 50,
 "loggers": [ { "name": "kea-dhcp6", "severity": "INFO", "output_options": [ { "output": "stdout" } ] } ],
 "subnet6": [ { "id": 1, "subnet": %[2]q, "interface": %[1]q,
  "pd-pools": [ { "prefix": %[3]q, "prefix-len": %[4]s, "delegated-len": %[4]s } ] } ] } }
`, s.link.Name, s.net, addr, bits)
	if err := os.WriteFile(s.path, []byte(text), 0o644); err != nil {
		s.link.NS.lab.Fatalf("lab: %v", err)
	}
}

// delegated is run by dhclient with what it got in its environment. It does
// what OpenWrt does: the new prefix's address, then the old one's deprecation.
const delegated = `
of() { echo "${1%::/*}:1::1/64"; }
case $reason in
BOUND6|RENEW6|REBIND6)
	if [ "$new_preferred_life" != 0 ]; then
		$IP address replace "$(of "$new_ip6_prefix")" dev $LAN preferred_lft $new_preferred_life valid_lft $new_max_life
	fi
	;;
DEPREF6)
	$IP address replace "$(of "$cur_ip6_prefix")" dev $LAN preferred_lft 0 valid_lft 60
	;;
EXPIRE6|RELEASE6|STOP6)
	$IP address del "$(of "$old_ip6_prefix")" dev $LAN
	;;
esac
echo "script: $reason $new_ip6_prefix$cur_ip6_prefix done"
exit 0
`

// PrefixClient is dhclient on the router's device: it asks for a prefix, and
// gives a device of the LAN the address PREFIX:1::1/64 of it. The prefix must
// be written with three groups.
func (k *Link) PrefixClient(ctx context.Context, lan *Link) *Process {
	k.NS.lab.Helper()
	k.waitLinkLocal(ctx)
	dir := k.NS.lab.TempDir()
	path := filepath.Join(dir, "script")
	text := "#!/bin/sh\nIP=" + Tool(k.NS.lab, "ip") + "\nLAN=" + lan.Name + "\n" + delegated
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		k.NS.lab.Fatalf("lab: %v", err)
	}
	return k.NS.Spawn("dhclient", "-6", "-P", "-d", "-D", "LL", "-cf", "/dev/null", "-lf", dir+"/leases", "-pf", dir+"/pid", "-sf", path, k.Name)
}

// waitLinkLocal waits for what DHCPv6 binds to: just after the device has come
// up its link-local address is still tentative.
func (k *Link) waitLinkLocal(ctx context.Context) {
	k.NS.lab.Helper()
	k.NS.Wait(ctx, k.Name+" has a link-local address that can be used", func() bool {
		for _, a := range k.Addrs() {
			if a.Prefix.Addr().IsLinkLocalUnicast() && a.Usable() {
				return true
			}
		}
		return false
	})
}
