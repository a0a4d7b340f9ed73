package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// RAPrefix is a prefix of a router advertisement, for SLAAC. Lifetimes are
// whole seconds; a Preferred of 0 deprecates.
type RAPrefix struct {
	Prefix           string // "2001:db8:1::/64"
	Preferred, Valid time.Duration
}

// Radvd sends router advertisements on a device of the provider of internet
// access.
type Radvd struct {
	*Process
	link *Link
	path string
}

// Radvd starts it: the namespace forwards IPv6 from now on, and the device at
// the other end listens to advertisements even if it forwards too. An address
// appears there after 1 to 2 s (duplicate address detection, which the sysctl
// net/ipv6/conf/DEVICE/accept_dad=0 ends).
func (k *Link) Radvd(prefixes ...RAPrefix) *Radvd {
	k.NS.lab.Helper()
	k.NS.Sysctl("net/ipv6/conf/all/forwarding", "1")
	if k.peer != nil {
		k.peer.NS.Sysctl("net/ipv6/conf/"+k.peer.Name+"/accept_ra", "2")
	}
	r := &Radvd{link: k, path: filepath.Join(k.NS.lab.TempDir(), "radvd.conf")}
	r.write(prefixes)
	r.Process = k.NS.Spawn("radvd", "-n", "-C", r.path, "-p", r.path+".pid", "-m", "stderr")
	return r
}

// Advertise replaces the prefixes (SIGHUP) and sends them at once. A prefix
// that is no more named is only forgotten; advertise it with short lifetimes
// to take it away.
func (r *Radvd) Advertise(prefixes ...RAPrefix) {
	r.link.NS.lab.Helper()
	r.write(prefixes)
	r.Signal(unix.SIGHUP)
}

func (r *Radvd) write(prefixes []RAPrefix) {
	r.link.NS.lab.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "interface %s {\n\tAdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 60;\n", r.link.Name)
	for _, p := range prefixes {
		fmt.Fprintf(&b, "\tprefix %s { AdvOnLink on; AdvAutonomous on; AdvPreferredLifetime %d; AdvValidLifetime %d; };\n",
			p.Prefix, int(p.Preferred.Seconds()), int(p.Valid.Seconds()))
	}
	b.WriteString("};\n")
	if err := os.WriteFile(r.path, []byte(b.String()), 0o644); err != nil {
		r.link.NS.lab.Fatalf("lab: %v", err)
	}
}
