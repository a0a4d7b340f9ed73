package provider

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

const (
	lookupAttempt = 2 * time.Second        // one question to all servers
	lookupStagger = 250 * time.Millisecond // between one server and the next
	maxAddresses  = 16                     // of a name that are tried
)

// resolver finds the addresses of hosts and keeps the last ones that it found:
// when the WAN has just come up, the router's own name server often needs
// seconds more.
type resolver struct {
	hosts string
	path  string // resolv.conf; read at each look-up, as it changes with the WAN
	port  uint16 // of its servers

	mu   sync.Mutex
	last map[string][]netip.Addr // by host
}

func newResolver() *resolver {
	return &resolver{hosts: "/etc/hosts", path: "/etc/resolv.conf", port: 53, last: map[string][]netip.Addr{}}
}

// known returns the addresses of the last look-up, the one that worked first.
func (r *resolver) known(host string) []netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]netip.Addr(nil), r.last[host]...)
}

// worked puts an address before the others of its host.
func (r *resolver) worked(host string, addr netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	addrs := []netip.Addr{addr}
	for _, a := range r.last[host] {
		if a != addr {
			addrs = append(addrs, a)
		}
	}
	r.last[host] = addrs
}

// lookupError is a name that did not resolve.
type lookupError struct {
	_           [0]func() // never compared: == would be code
	host        string
	err         error
	final       bool // asking again would not help
	unreachable bool // no way to any name server
}

func (e *lookupError) Error() string {
	return fmt.Sprintf("the name %s did not resolve: %v", e.host, e.err)
}

func (e *lookupError) Unwrap() error { return e.err }

// lookup asks until there is an answer, ctx is done, or asking is of no use.
func (r *resolver) lookup(ctx context.Context, host string, f config.Family) ([]netip.Addr, error) {
	pause := 100 * time.Millisecond
	for {
		addrs, err := r.ask(ctx, host, f)
		if err == nil {
			r.mu.Lock()
			r.last[host] = addrs
			r.mu.Unlock()
			return addrs, nil
		}
		if err.final || err.unreachable || ctx.Err() != nil {
			return nil, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		case <-timer.C:
		}
		pause = min(2*pause, time.Second)
	}
}

// answer is one name server's.
type answer struct {
	addrs []netip.Addr
	err   error
}

// ask looks into /etc/hosts, and then asks each name server once, the next one
// when those before are late or have failed, and takes the first answer.
func (r *resolver) ask(ctx context.Context, host string, f config.Family) ([]netip.Addr, *lookupError) {
	ctx, cancel := context.WithTimeout(ctx, lookupAttempt)
	defer cancel()
	if addrs := inHosts(r.hosts, host, f); addrs != nil {
		return addrs, nil
	}
	servers := nameservers(r.path, r.port)
	answers := make(chan answer, len(servers))
	next, running := 0, 0
	failed := &lookupError{host: host, final: true, unreachable: true}
	stagger := time.NewTimer(0)
	defer stagger.Stop()
	for {
		select {
		case <-stagger.C:
			if next < len(servers) {
				server := servers[next]
				go func() { answers <- r.askOne(ctx, server, host, f) }()
				next++
				running++
				stagger.Reset(lookupStagger)
			}
		case a := <-answers:
			running--
			if a.err == nil {
				return a.addrs, nil
			}
			failed.final = failed.final && a.err == errNotFound
			failed.unreachable = failed.unreachable && socket.NoPath(a.err)
			if failed.err = a.err; socket.IsTimeout(a.err) {
				failed.err = errSilent
			}
			if next < len(servers) {
				stagger.Reset(0)
			} else if running == 0 {
				return nil, failed
			}
		case <-ctx.Done():
			if failed.err == nil {
				failed.err = errSilent
			}
			failed.final, failed.unreachable = false, false
			return nil, failed
		}
	}
}

// askOne asks one name server for the host's addresses, of both families at a
// time if none is given.
func (r *resolver) askOne(ctx context.Context, server netip.AddrPort, host string, f config.Family) answer {
	types := []uint16{dns.TypeAAAA, dns.TypeA}
	switch f {
	case config.IPv4:
		types = types[1:]
	case config.IPv6:
		types = types[:1]
	}
	answers := make(chan answer, len(types))
	for _, typ := range types {
		go func() { answers <- askType(ctx, server, host, typ) }()
	}
	var all answer
	for range types {
		a := <-answers
		all.addrs = append(all.addrs, a.addrs...)
		if all.err == nil || a.err != errNotFound {
			all.err = a.err
		}
	}
	if len(all.addrs) > 0 {
		all.err = nil
	}
	all.addrs = all.addrs[:min(len(all.addrs), maxAddresses)]
	return all
}

// What a name server can say instead of an address.
var (
	errNotFound = errors.New("there is no such name, or it has no address")
	errServFail = errors.New("the name server has no answer")
	errSilent   = errors.New("no name server answers")
)

func askType(ctx context.Context, server netip.AddrPort, host string, typ uint16) answer {
	if dns.CheckName(host) != nil {
		return answer{err: errNotFound}
	}
	exchange := dns.Exchange{Dial: dialServer}
	m, err := exchange.Ask(ctx, server, dns.NewQuestion(host, typ, dns.Recursive|dns.EDNS))
	if err == nil {
		err = m.Fault
	}
	if err != nil {
		return answer{err: err}
	}
	a := answer{err: errNotFound}
	for i := range m.Records {
		rr := &m.Records[i]
		if addr := m.Addr(rr); addr.IsValid() && rr.Section == dns.SectionAnswer && rr.Type == typ {
			a.addrs, a.err = append(a.addrs, addr.Unmap()), nil
		}
	}
	// An empty answer counts from a server that is the zone's, or has asked
	// others; a name that does not exist, from any.
	code, serves := m.RCode(), m.Flags&(dns.FlagAuthoritative|dns.FlagRecursionAvailable) != 0
	if code != dns.NXDomain && (code != 0 || a.err != nil && !serves) {
		return answer{err: errServFail}
	}
	return a
}

// dialServer makes a socket for a name server, on any way that there is.
func dialServer(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	var conn *socket.Conn
	var err error
	if network == "udp" {
		conn, _, err = socket.UDP(to, "", netip.Addr{})
	} else {
		conn, _, err = socket.TCP(ctx, to, "", netip.Addr{}, nil, func() {})
	}
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// maxHosts bounds what is read of /etc/hosts, which block lists make long.
const maxHosts = 4 << 20

// inHosts returns the host's addresses in a file of the form of hosts(5). A
// family that the file does not have there is asked for as usual.
func inHosts(path, host string, f config.Family) (addrs []netip.Addr) {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	text, _ := io.ReadAll(io.LimitReader(file, maxHosts))
	if !bytes.Contains(text, []byte(host)) {
		return nil
	}
	line, rest := "", string(text)
	for rest != "" {
		line, rest, _ = strings.Cut(rest, "\n")
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 || !slices.Contains(words[1:], host) {
			continue
		}
		a, err := netip.ParseAddr(words[0])
		if a = a.Unmap(); err == nil && (f == 0 || config.FamilyOf(a) == f) && len(addrs) < maxAddresses {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// nameservers returns those of resolv.conf as it is now, three at most, as
// resolv.conf(5) has it; without any, the loopback addresses.
func nameservers(path string, port uint16) []netip.AddrPort {
	var servers []netip.AddrPort
	text, err := os.ReadFile(path)
	if err == nil {
		for _, line := range strings.Split(string(text[:min(len(text), 64<<10)]), "\n") {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "nameserver" || len(servers) == 3 {
				continue
			}
			if a, err := netip.ParseAddr(words[1]); err == nil {
				servers = append(servers, netip.AddrPortFrom(a, port))
			}
		}
	}
	if len(servers) == 0 {
		servers = []netip.AddrPort{netip.AddrPortFrom(loopback, port), netip.AddrPortFrom(netip.IPv6Loopback(), port)}
	}
	return servers
}
