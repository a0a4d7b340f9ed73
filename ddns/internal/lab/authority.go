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
// of its addresses.
type Authority struct {
	*Process
	Addr []string

	ns    *Namespace
	make  string // "BIND", "Knot", "NSD"
	dir   string
	zones map[string]AuthorityZone
}

// AuthorityZone is a zone of an Authority.
type AuthorityZone struct {
	Text    string // of the master file, without $ORIGIN; "": a copy of From's
	From    string // address of the server that this one copies the zone from
	To      string // address of a server that copies the zone
	Updates bool   // anybody may change it by DNS UPDATE
	Key     string // BIND: who has the TSIG key UpdateKey with this secret (base64) may
}

// UpdateKey is the name of the TSIG key of an AuthorityZone, an HMAC-SHA256.
const UpdateKey = "router"

// Authority starts a server of a make, "BIND", "Knot" or "NSD" (which copies no
// zones and takes no updates), at addresses of the namespace, of one family,
// with spaces between them, with zones by origin ("." is the root). The texts
// may use relative names.
func (ns *Namespace) Authority(kind, addrs string, zones map[string]AuthorityZone) *Authority {
	ns.lab.Helper()
	a := &Authority{Addr: strings.Fields(addrs), ns: ns, make: kind, dir: ns.lab.TempDir(), zones: zones}
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
	case "NSD":
		ready = "nsd started"
		a.Process = ns.Spawn("nsd", "-d", "-V", "2", "-c", a.file("nsd.conf", a.nsd()))
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
	name := strings.TrimSuffix(origin, ".")
	switch a.make {
	case "BIND":
		a.WaitLine(context.Background(), "zone "+name+"/IN: loaded serial")
	case "NSD":
		a.WaitLine(context.Background(), "zone "+name+" read with success")
		a.WaitLine(context.Background(), "reload")
	default:
		a.WaitLine(context.Background(), "["+name+".] zone file parsed")
		a.WaitLine(context.Background(), "["+name+".] loaded, serial")
	}
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
	if netip.MustParseAddr(a.Addr[0]).Is6() {
		listen, other = other, listen
	}
	fmt.Fprintf(&b, `options { directory %q; pid-file none; session-keyfile none; lock-file none; recursion no; allow-query { any; };
 dnssec-validation no; empty-zones-enable no; notify explicit; notify-delay 0; minimal-responses no; %s { %s; }; %s { none; }; };
controls {};
`, a.dir, listen, strings.Join(a.Addr, "; "), other)
	for _, z := range a.zones {
		if z.Key != "" {
			fmt.Fprintf(&b, "key %q { algorithm hmac-sha256; secret %q; };\n", UpdateKey, z.Key)
		}
	}
	for origin, z := range a.zones {
		fmt.Fprintf(&b, "zone %q { file %q; ", origin, zoneFile(origin))
		switch {
		case z.Text == "":
			fmt.Fprintf(&b, "type secondary; primaries { %s; }; ", z.From)
		default:
			b.WriteString("type primary; ")
		}
		switch {
		case z.Updates:
			b.WriteString("allow-update { any; }; ")
		case z.Key != "":
			fmt.Fprintf(&b, "allow-update { key %q; }; ", UpdateKey)
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
  listen: [ %s ]
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
`, a.dir, strings.Join(a.Addr, "@53, ")+"@53", a.dir)
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

func (a *Authority) nsd() string {
	var b strings.Builder
	fmt.Fprintf(&b, `server:
 username: ""
 chroot: ""
 zonesdir: %q
 pidfile: ""
 database: ""
 xfrdfile: ""
 zonelistfile: %q
 xfrdir: %q
 server-count: 1
 rrl-ratelimit: 0
`, a.dir, filepath.Join(a.dir, "zone.list"), a.dir)
	for _, addr := range a.Addr {
		fmt.Fprintf(&b, " ip-address: %s\n", addr)
	}
	b.WriteString("remote-control:\n control-enable: no\n")
	for origin := range a.zones {
		fmt.Fprintf(&b, "zone:\n name: %q\n zonefile: %q\n", origin, zoneFile(origin))
	}
	return b.String()
}
