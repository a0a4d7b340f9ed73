package lab

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Update gives a name of a zone these IPv4 addresses, and no others, by DNS
// UPDATE (RFC 2136); without any, the name has none. The zone has to allow
// Updates. It is served when Update returns.
func (a *Authority) Update(origin, name string, addrs ...netip.Addr) error {
	owner, err := dnsmessage.NewName(canonical(name))
	if err != nil {
		return err
	}
	zone, err := dnsmessage.NewName(canonical(origin))
	if err != nil {
		return err
	}
	rr := func(class dnsmessage.Class, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
		return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: owner, Class: class, TTL: ttl}, Body: body}
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 4711, OpCode: 5},
		Questions: []dnsmessage.Question{{Name: zone, Type: dnsmessage.TypeSOA, Class: dnsmessage.ClassINET}},
		// Class ANY without data: all of the type go, section 2.5.2.
		Authorities: []dnsmessage.Resource{rr(dnsmessage.ClassANY, 0, &dnsmessage.UnknownResource{Type: dnsmessage.TypeA})},
	}
	for _, addr := range addrs {
		m.Authorities = append(m.Authorities, rr(dnsmessage.ClassINET, 60, &dnsmessage.AResource{A: addr.As4()}))
	}
	packed, err := m.Pack()
	if err != nil {
		return err
	}
	reply, err := a.ns.exchange(netip.AddrPortFrom(netip.MustParseAddr(a.Addr[0]), 53), packed)
	if err != nil {
		return fmt.Errorf("update %s at %s: %w", name, a.Addr[0], err)
	}
	var p dnsmessage.Parser
	if header, err := p.Start(reply); err != nil || header.RCode != dnsmessage.RCodeSuccess {
		return fmt.Errorf("update %s at %s: %v %v", name, a.Addr[0], header.RCode, err)
	}
	return nil
}

// exchange sends a DNS message to a server and returns its answer.
func (ns *Namespace) exchange(server netip.AddrPort, message []byte) ([]byte, error) {
	var c net.Conn
	err := ns.Do(func() (err error) {
		c, err = net.Dial("udp", server.String())
		return err
	})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	buffer := make([]byte, 4096)
	for range 5 { // a loaded machine drops packets, too
		if _, err = c.Write(message); err != nil {
			return nil, err
		}
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		var n int
		if n, err = c.Read(buffer); err == nil {
			return buffer[:n], nil
		}
	}
	return nil, err
}
