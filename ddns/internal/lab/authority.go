package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Authority is a real name server of a make, with zones in files, at port 53
// of one address.
type Authority struct {
	*Process
	Addr string

	ns    *Namespace
	make  string // "BIND", "Knot"
	dir   string
	zones map[string]AuthorityZone
}

// AuthorityZone is a zone of an Authority.
type AuthorityZone struct {
	Text    string // of the master file, without $ORIGIN; "": a copy of From's
	From    string // address of the server that this one copies the zone from
	To      string // address of a server that copies the zone
	Updates bool   // anybody may change it by DNS UPDATE
}

// Authority starts a server of a make, "BIND" or "Knot", at an address of the
// namespace, with zones by origin ("." is the root). The texts may use
// relative names.
func (ns *Namespace) Authority(kind, addr string, zones map[string]AuthorityZone) *Authority {
	ns.lab.Helper()
	a := &Authority{Addr: addr, ns: ns, make: kind, dir: ns.lab.TempDir(), zones: zones}
	for origin, z := range zones {
		if z.Text != "" {
			a.file(zoneFile(origin), z.Text)
		}
	}
	ready := " running"
	switch kind {
	case "BIND":
		a.Process = ns.Spawn("named", "-g", "-n", "1", "-c", a.file("named.conf", a.bind()))
	case "Knot":
		ready = "server started in the foreground"
		a.Process = ns.Spawn("knotd", "-c", a.file("knot.conf", a.knot()))
	default:
		ns.lab.Fatalf("lab: no make of name server %q", kind)
	}
	a.WaitLine(context.Background(), ready)
	return a
}

// Rewrite replaces a zone's text; it is served when Rewrite returns. The
// serial has to be higher than the one before.
func (a *Authority) Rewrite(origin, text string) {
	a.ns.lab.Helper()
	a.file(zoneFile(origin), text)
	a.Mark()
	a.Signal(unix.SIGHUP)
	if a.make == "BIND" {
		a.WaitLine(context.Background(), "zone "+strings.TrimSuffix(origin, ".")+"/IN: loaded serial")
		return
	}
	a.WaitLine(context.Background(), "["+strings.TrimSuffix(origin, ".")+".] zone file parsed")
	a.WaitLine(context.Background(), "["+strings.TrimSuffix(origin, ".")+".] loaded, serial")
}

func zoneFile(origin string) string {
	if origin == "." {
		return "root.zone"
	}
	return origin + ".zone"
}

func (a *Authority) file(name, text string) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		a.ns.lab.Fatalf("lab: %v", err)
	}
	return path
}

func (a *Authority) bind() string {
	var b strings.Builder
	listen, other := "listen-on", "listen-on-v6"
	if netip.MustParseAddr(a.Addr).Is6() {
		listen, other = other, listen
	}
	fmt.Fprintf(&b, `options { directory %q; pid-file none; session-keyfile none; lock-file none; recursion no; allow-query { any; };
 dnssec-validation no; empty-zones-enable no; notify explicit; notify-delay 0; minimal-responses no; %s { %s; }; %s { none; }; };
controls {};
`, a.dir, listen, a.Addr, other)
	for origin, z := range a.zones {
		fmt.Fprintf(&b, "zone %q { file %q; ", origin, zoneFile(origin))
		switch {
		case z.Text == "":
			fmt.Fprintf(&b, "type secondary; primaries { %s; }; ", z.From)
		default:
			b.WriteString("type primary; ")
		}
		if z.Updates {
			b.WriteString("allow-update { any; }; ")
		}
		if z.To != "" {
			fmt.Fprintf(&b, "allow-transfer { any; }; also-notify { %s; }; ", z.To)
		}
		b.WriteString("};\n")
	}
	return b.String()
}

func (a *Authority) knot() string {
	var b strings.Builder
	fmt.Fprintf(&b, `server:
  rundir: %q
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  listen: %q
log:
- target: stderr
  any: info
database:
  storage: %q
acl:
- id: anybody
  action: [ update, notify, transfer ]
remote:
- id: nobody
  address: 192.0.2.1
`, a.dir, a.Addr+"@53", a.dir)
	var zones strings.Builder
	for origin, z := range a.zones {
		fmt.Fprintf(&zones, "- domain: %q\n  storage: %q\n  file: %s\n  journal-content: none\n  zonefile-sync: -1\n  zonefile-load: whole\n  semantic-checks: off\n", origin, a.dir, zoneFile(origin))
		if z.From != "" {
			fmt.Fprintf(&b, "- id: from-%s\n  address: %s@53\n", zoneFile(origin), z.From)
			fmt.Fprintf(&zones, "  master: from-%s\n", zoneFile(origin))
		}
		if z.To != "" {
			fmt.Fprintf(&b, "- id: to-%s\n  address: %s@53\n", zoneFile(origin), z.To)
			fmt.Fprintf(&zones, "  notify: to-%s\n", zoneFile(origin))
		}
		if z.From != "" || z.To != "" || z.Updates {
			zones.WriteString("  acl: anybody\n")
		}
	}
	return b.String() + "zone:\n" + zones.String()
}
