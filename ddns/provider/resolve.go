package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
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
	path string // resolv.conf; read at each look-up, as it changes with the WAN
	port string // of its servers

	mu   sync.Mutex
	last map[string][]netip.Addr // by host
}

func newResolver() *resolver {
	return &resolver{path: "/etc/resolv.conf", port: "53", last: map[string][]netip.Addr{}}
}

// known returns the addresses of the last look-up, the one that worked first.
func (r *resolver) known(host string) []netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.last[host])
}

// worked puts an address before the others of its host.
func (r *resolver) worked(host string, addr netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	addrs := slices.DeleteFunc(slices.Clone(r.last[host]), func(a netip.Addr) bool { return a == addr })
	r.last[host] = append([]netip.Addr{addr}, addrs...)
}

// lookupError is a name that did not resolve.
type lookupError struct {
	host        string
	err         error
	final       bool // asking again would not help
	unreachable bool // no way to any name server
}

func (e *lookupError) Error() string {
	text := e.err.Error()
	if dns, ok := errors.AsType[*net.DNSError](e.err); ok {
		text = dns.Err
	}
	return fmt.Sprintf("the name %s did not resolve: %s", e.host, text)
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

// ask asks each name server once, the next one when those before are late or
// have failed, and takes the first answer.
func (r *resolver) ask(ctx context.Context, host string, f config.Family) ([]netip.Addr, *lookupError) {
	ctx, cancel := context.WithTimeout(ctx, lookupAttempt)
	defer cancel()
	servers := nameservers(r.path)
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
			dns, ok := errors.AsType[*net.DNSError](a.err)
			failed.final = failed.final && ok && dns.IsNotFound
			failed.unreachable = failed.unreachable && socket.NoPath(a.err)
			failed.err = a.err
			if next < len(servers) {
				stagger.Reset(0)
			} else if running == 0 {
				return nil, failed
			}
		case <-ctx.Done():
			if failed.err == nil {
				failed.err = errors.New("no name server answers")
			}
			failed.final, failed.unreachable = false, false
			return nil, failed
		}
	}
}

// askOne asks one name server for the host's addresses. /etc/hosts comes first.
func (r *resolver) askOne(ctx context.Context, server, host string, f config.Family) answer {
	var dialer net.Dialer
	var mu sync.Mutex
	var dialErr error
	res := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(server, r.port))
		if err != nil {
			mu.Lock()
			dialErr = err
			mu.Unlock()
		}
		return conn, err
	}}
	network := "ip"
	switch f {
	case config.IPv4:
		network = "ip4"
	case config.IPv6:
		network = "ip6"
	}
	addrs, err := res.LookupNetIP(ctx, network, host+".") // the dot: no search domains
	mu.Lock()
	defer mu.Unlock()
	if err != nil && dialErr != nil && ctx.Err() == nil {
		err = dialErr
	}
	if err == nil && len(addrs) == 0 {
		err = errors.New("no address")
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return answer{addrs[:min(len(addrs), maxAddresses)], err}
}

// nameservers returns those of resolv.conf as it is now, three at most, as
// resolv.conf(5) has it; without any, the loopback addresses.
func nameservers(path string) []string {
	var servers []string
	text, err := os.ReadFile(path)
	if err == nil {
		for line := range strings.Lines(string(text[:min(len(text), 64<<10)])) {
			words := strings.Fields(line)
			if len(words) < 2 || words[0] != "nameserver" || len(servers) == 3 {
				continue
			}
			if a, err := netip.ParseAddr(words[1]); err == nil {
				servers = append(servers, a.String())
			}
		}
	}
	if len(servers) == 0 {
		return []string{"127.0.0.1", "::1"}
	}
	return servers
}
