package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Recursor is a real resolver (Unbound) that starts at a root of the
// laboratory, with a cache as resolvers have one.
type Recursor struct {
	*Process
	Addr netip.AddrPort

	ns *Namespace
}

// Recursor starts one at an address of the namespace. Nothing stays in its
// cache for longer than keep. With a CA it also serves DNS over HTTPS, at
// https://ADDR/dns-query.
func (ns *Namespace) Recursor(addr, root string, keep time.Duration, ca ...*CA) *Recursor {
	ns.lab.Helper()
	https := ""
	for _, ca := range ca {
		cert, key := ca.Files(addr)
		https = fmt.Sprintf(" interface: %s@443\n tls-service-pem: %q\n tls-service-key: %q\n", addr, cert, key)
	}
	dir := ns.lab.TempDir()
	hints := filepath.Join(dir, "root.hints")
	conf := filepath.Join(dir, "unbound.conf")
	seconds := int(keep / time.Second)
	for path, text := range map[string]string{
		hints: ". 60 IN NS a.root.\na.root. 60 IN A " + root + "\n",
		conf: fmt.Sprintf(`server:
 interface: %s
 access-control: 0.0.0.0/0 allow
 do-ip6: no
 chroot: ""
 username: ""
 directory: %q
 pidfile: ""
 root-hints: %q
 module-config: "iterator"
 local-zone: "test." nodefault
 use-syslog: no
 logfile: ""
 verbosity: 1
 num-threads: 1
 cache-max-ttl: %d
 cache-max-negative-ttl: %d
 infra-host-ttl: %d
%sremote-control:
 control-enable: no
`, addr, dir, hints, seconds, seconds, seconds, https),
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			ns.lab.Fatalf("lab: %v", err)
		}
	}
	r := &Recursor{Addr: netip.AddrPortFrom(netip.MustParseAddr(addr), 53), ns: ns}
	r.Process = ns.Spawn("unbound", "-d", "-c", conf)
	r.WaitLine(context.Background(), "start of service")
	return r
}

// Answer is what a resolver says of a name.
type Answer struct {
	RCode dnsmessage.RCode
	CNAME string       // the first, without the last dot
	TTL   uint32       // of the CNAME, or of the first address
	Addrs []netip.Addr // IPv4
}

// String is "CNAME home.dyn.test, 192.0.2.1", or how it failed.
func (a Answer) String() string {
	text := a.RCode.String()
	switch a.RCode {
	case dnsmessage.RCodeSuccess:
		text = fmt.Sprint(a.Addrs)
	case dnsmessage.RCodeServerFailure:
		text = "SERVFAIL"
	case dnsmessage.RCodeNameError:
		text = "NXDOMAIN"
	}
	if a.CNAME != "" {
		text = "CNAME " + a.CNAME + ", " + text
	}
	return text
}

// Look asks the resolver for the IPv4 addresses of a name, from its own
// namespace.
func (r *Recursor) Look(name string) (a Answer, err error) { return r.ns.look(r.Addr, name) }

// Exchange sends it a message over UDP.
func (r *Recursor) Exchange(message []byte) (answer []byte, err error) {
	return r.ns.exchange(r.Addr, message)
}

// LookAt asks a name server in the resolver's place.
func (r *Recursor) LookAt(server, name string) (a Answer, err error) {
	return r.ns.look(netip.AddrPortFrom(netip.MustParseAddr(server), 53), name)
}

func (ns *Namespace) look(server netip.AddrPort, name string) (a Answer, err error) {
	q := dnsmessage.Message{Header: dnsmessage.Header{ID: 815, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(canonical(name)), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	packed, err := q.Pack()
	if err != nil {
		return a, err
	}
	reply, err := ns.exchange(server, packed)
	if err != nil {
		return a, err
	}
	var m dnsmessage.Message
	if err := m.Unpack(reply); err != nil {
		return a, err
	}
	a.RCode = m.RCode
	for i := len(m.Answers) - 1; i >= 0; i-- {
		a.TTL = m.Answers[i].Header.TTL
		switch body := m.Answers[i].Body.(type) {
		case *dnsmessage.CNAMEResource:
			a.CNAME = body.CNAME.String()[:len(body.CNAME.String())-1]
		case *dnsmessage.AResource:
			a.Addrs = append(a.Addrs, netip.AddrFrom4(body.A))
		}
	}
	return a, nil
}

// Liar starts a resolver (dnsmasq) at an address of the namespace that gives
// one address to every name, as networks do that want to be paid first.
func (ns *Namespace) Liar(addr, always string) *Process {
	ns.lab.Helper()
	p := ns.Spawn("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--pid-file=", "--user=", "--group=",
		"--bind-interfaces", "--listen-address="+addr, "--address=/#/"+always)
	p.WaitLine(context.Background(), "started, ")
	return p
}
