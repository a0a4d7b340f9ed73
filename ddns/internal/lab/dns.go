package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Query is a question that a name server got.
type Query struct {
	At   Instant
	Name string // canonical
	Type dnsmessage.Type
	TCP  bool
	From netip.AddrPort
}

// NameServer serves zones over UDP and TCP: as their authority, or, as a
// Resolver, as a router's own resolver that happens to know all answers.
type NameServer struct {
	Addr netip.AddrPort

	lab       *Lab
	zones     []*Zone
	recursive bool
	queries   feed[Query]

	mu     sync.Mutex
	fault  Fault
	script func(q Query, message []byte) (answer []byte)
}

// Fault is how a name server misbehaves.
type Fault int

// The faults of a name server.
const (
	Healthy  Fault = iota
	Silent         // reads and never answers
	ServFail       // answers SERVFAIL
	Refused        // answers REFUSED
	Lame           // answers without authority and without data
	Truncate       // UDP answers are empty with TC set; TCP works
)

// NameServer starts an authoritative server for the zones at an address of
// the namespace, port 53; in the nil namespace, where the test runs, at a
// free port.
func (l *Lab) NameServer(ns *Namespace, addr string, zones ...*Zone) *NameServer {
	l.Helper()
	s := &NameServer{lab: l, zones: zones}
	s.start(ns, addr)
	return s
}

// Resolver starts a recursive resolver as a router has it (at 127.0.0.1, say)
// and writes it into the namespace's resolv.conf. It answers for the hosts
// given, name to address, and for the zones; all else is NXDOMAIN. Call it late
// for a resolver that is late.
func (l *Lab) Resolver(ns *Namespace, addr string, hosts map[string]string, zones ...*Zone) *NameServer {
	l.Helper()
	root := &Zone{Origin: "."}
	for name, text := range hosts {
		a, err := netip.ParseAddr(text)
		if err != nil {
			l.Fatalf("lab: %v", err)
		}
		root.Set(name, a)
	}
	s := &NameServer{lab: l, zones: append(zones, root), recursive: true}
	s.start(ns, addr)
	if ns != nil {
		ns.ResolvConf("nameserver " + addr + "\n")
	}
	return s
}

func (s *NameServer) start(ns *Namespace, addr string) {
	s.lab.Helper()
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		s.lab.Fatalf("lab: %v", err)
	}
	s.Addr = netip.AddrPortFrom(ip, 53)
	attempts := 1
	if ns == nil {
		s.Addr, attempts = netip.AddrPortFrom(ip, 0), 20
	}
	var udp net.PacketConn
	var tcp net.Listener
	for range attempts { // a free TCP port may be taken for UDP
		if tcp, err = ns.Listen("tcp", s.Addr.String()); err != nil {
			break
		}
		at := tcp.Addr().(*net.TCPAddr).AddrPort()
		if udp, err = ns.ListenPacket("udp", at.String()); err == nil {
			s.Addr = at
			break
		}
		tcp.Close()
	}
	if err != nil {
		s.lab.Fatalf("lab: name server: %v", err)
	}
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	s.lab.Cleanup(func() {
		cancel()
		udp.Close()
		tcp.Close()
		running.Wait()
	})
	running.Go(func() { s.serveUDP(udp) })
	running.Go(func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serveTCP(ctx, c) })
		}
	})
}

// Break sets how the server misbehaves from now on.
func (s *NameServer) Break(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Handle makes a function answer the questions that come over UDP from now on,
// each on a goroutine of its own; nil is no answer.
func (s *NameServer) Handle(f func(q Query, message []byte) (answer []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = f
}

// Queries returns the questions so far.
func (s *NameServer) Queries() []Query { return s.queries.all() }

// WaitQuery waits for a question about the name, among all since the start.
func (s *NameServer) WaitQuery(ctx context.Context, name string) Query {
	s.lab.Helper()
	ctx, cancel := patient(ctx)
	defer cancel()
	_, q, err := s.queries.wait(ctx, 0, nil, func(q Query) bool { return q.Name == canonical(name) })
	if err != nil {
		s.lab.Fatalf("lab: name server: no question about %s: %v", name, err)
	}
	return q
}

func (s *NameServer) serveUDP(c net.PacketConn) {
	buffer := make([]byte, 65535)
	var running sync.WaitGroup
	defer running.Wait()
	for {
		n, from, err := c.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		s.mu.Lock()
		script := s.script
		s.mu.Unlock()
		if script == nil {
			if answer := s.answer(buffer[:n], from.(*net.UDPAddr).AddrPort(), false); answer != nil {
				c.WriteTo(answer, from)
			}
			continue
		}
		message := slices.Clone(buffer[:n])
		if q, ok := s.note(message, from.(*net.UDPAddr).AddrPort(), false); ok {
			running.Go(func() {
				if answer := script(q, message); answer != nil {
					c.WriteTo(answer, from)
				}
			})
		}
	}
}

func (s *NameServer) serveTCP(ctx context.Context, c net.Conn) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	for {
		c.SetDeadline(time.Now().Add(time.Minute))
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		if answer := s.answer(query, c.RemoteAddr().(*net.TCPAddr).AddrPort(), true); answer != nil {
			c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
		}
	}
}

// answer returns the reply to one message, nil for none.
func (s *NameServer) answer(message []byte, from netip.AddrPort, tcp bool) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(message)
	if err != nil || header.Response {
		return nil
	}
	question, err := p.Question()
	if err != nil {
		return nil
	}
	name := canonical(question.Name.String())
	s.queries.add(query(question, from, tcp))
	s.mu.Lock()
	fault := s.fault
	s.mu.Unlock()
	reply := dnsmessage.Message{
		Header: dnsmessage.Header{ID: header.ID, Response: true, OpCode: header.OpCode,
			RecursionDesired: header.RecursionDesired, RecursionAvailable: s.recursive},
		Questions: []dnsmessage.Question{question},
	}
	switch {
	case fault == Silent:
		return nil
	case fault == ServFail:
		reply.RCode = dnsmessage.RCodeServerFailure
	case fault == Refused:
		reply.RCode = dnsmessage.RCodeRefused
	case fault == Truncate && !tcp:
		reply.Truncated = true
	case fault == Lame: // empty, as it is
	case header.OpCode != 0:
		reply.RCode = dnsmessage.RCodeNotImplemented
	default:
		s.fill(&reply, name, question)
	}
	packed, err := reply.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// note takes a question down, for what is not answered by answer.
func (s *NameServer) note(message []byte, from netip.AddrPort, tcp bool) (q Query, ok bool) {
	var p dnsmessage.Parser
	if header, err := p.Start(message); err != nil || header.Response {
		return q, false
	}
	question, err := p.Question()
	if err != nil {
		return q, false
	}
	q = query(question, from, tcp)
	s.queries.add(q)
	return q, true
}

func query(q dnsmessage.Question, from netip.AddrPort, tcp bool) Query {
	return Query{Now(), canonical(q.Name.String()), q.Type, tcp, netip.AddrPortFrom(from.Addr().Unmap(), from.Port())}
}

// fill answers from the nearest enclosing zone.
func (s *NameServer) fill(reply *dnsmessage.Message, name string, question dnsmessage.Question) {
	var zone *Zone
	for _, z := range s.zones {
		if o := canonicalOrigin(z.Origin); within(name, o) && (zone == nil || len(o) > len(canonicalOrigin(zone.Origin))) {
			zone = z
		}
	}
	if zone == nil {
		reply.RCode = dnsmessage.RCodeRefused
		return
	}
	reply.Authoritative = !s.recursive
	zone.mu.Lock()
	defer zone.mu.Unlock()
	zone.fill(reply, name, question)
}
