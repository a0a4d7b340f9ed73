package echo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

func (q Question) call(url string) provider.Call {
	return provider.Call{Method: "GET", URL: url, Device: q.Device, From: q.From, Family: q.Family}
}

// askHTTPS asks a web service.
func askHTTPS(ctx context.Context, c *provider.Client, s *service, q Question) (netip.Addr, error) {
	call := q.call(s.at(q.Family))
	call.Header = [][2]string{{"User-Agent", "wanbeacon"}, {"Accept", "text/plain, */*"}}
	r, err := c.Do(ctx, call)
	if err != nil {
		return netip.Addr{}, unanswered{err}
	}
	if r.Status != 200 {
		return netip.Addr{}, fmt.Errorf("HTTP status %d", r.Status)
	}
	return Find(r.Body, q.Pattern)
}

// place stands for the address in a pattern.
const place = "{address}"

// Find reads the address out of an answer. Without a pattern the answer must
// be the address alone. A pattern has "{address}" in the address's place, and
// text that stands before and after it somewhere in the answer, such as
// `"ip":"{address}"`. Before it a "*" stands for any text: what follows is
// looked for behind what precedes. Letters of either case are the same.
func Find(body, pattern string) (netip.Addr, error) {
	if pattern == "" {
		body = strings.TrimSpace(body)
		a, err := netip.ParseAddr(body)
		switch {
		case err == nil && a.Zone() == "":
			return a, nil
		case strings.HasPrefix(body, "<"):
			return netip.Addr{}, errors.New("it answers with a web page, not with an address")
		}
		return netip.Addr{}, fmt.Errorf("it answers %s, which is no address", provider.Quote(body))
	}
	before, after, _ := strings.Cut(strings.ToLower(pattern), place)
	rest, fits := strings.ToLower(body), true
	for star := strings.IndexByte(before, '*'); star >= 0 && fits; star = strings.IndexByte(before, '*') {
		_, rest, fits = strings.Cut(rest, before[:star])
		before = before[star+1:]
	}
	for at := 0; ; at++ {
		next := strings.Index(rest[min(at, len(rest)):], before)
		if next < 0 || at > len(rest) || !fits {
			return netip.Addr{}, fmt.Errorf("its answer does not fit the pattern: %s", provider.Quote(body))
		}
		at += next
		text := rest[at+len(before):]
		if before == "" && at > 0 && ofAddress(rest[at-1]) {
			continue // in the middle of something
		}
		end := 0
		for end < len(text) && ofAddress(text[end]) {
			end++
		}
		word := strings.TrimRight(text[:end], ".")
		if a, err := netip.ParseAddr(word); err == nil && strings.HasPrefix(text[len(word):], after) {
			return a, nil
		}
	}
}

func ofAddress(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF:.", c) >= 0 }

// unanswered is a question that no answer came to.
type unanswered struct{ error }

// askDNS asks an authoritative server that answers with the asker's address.
func askDNS(ctx context.Context, c *provider.Client, s *service, q Question) (netip.Addr, error) {
	conn, err := c.UDP(ctx, s.at(q.Family), 53, q.call(""))
	if err != nil {
		return netip.Addr{}, unanswered{err}
	}
	defer conn.Close()
	typ := dns.TypeA
	switch {
	case s.txt:
		typ = dns.TypeTXT
	case q.Family == config.IPv6:
		typ = dns.TypeAAAA
	}
	query := dns.NewQuestion(s.name4, typ, dns.MixedCase)
	for range 2 {
		if _, err = conn.Write(query.Msg); err != nil {
			break
		}
		var a *dns.Answer
		if a, err = dns.Receive(ctx, conn, query, time.Second); a != nil && a.Fault == nil {
			return fromDNS(a.Message, s.name4)
		}
	}
	if err == nil {
		err = errors.New("the answer is not to be believed")
	}
	return netip.Addr{}, unanswered{err}
}

// fromDNS reads the address of an answer.
func fromDNS(m *dns.Message, name string) (netip.Addr, error) {
	for i := range m.Records {
		rr := &m.Records[i]
		if rr.Section != dns.SectionAnswer || rr.Name != name {
			continue
		}
		if a := m.Addr(rr); a.IsValid() {
			return a, nil
		}
		if data := m.Raw[rr.Data:rr.End]; rr.Type == dns.TypeTXT && len(data) > 1 && int(data[0]) < len(data) {
			if a, err := netip.ParseAddr(string(data[1 : 1+data[0]])); err == nil && a.Zone() == "" {
				return a, nil
			}
		}
	}
	return netip.Addr{}, fmt.Errorf("it answers without an address (code %d)", m.RCode())
}

// STUN, RFC 8489 sections 5 and 14.
const (
	stunRequest  = 0x0001
	stunSuccess  = 0x0101
	stunCookie   = 0x2112A442
	stunHeader   = 20
	mappedXOR    = 0x0020
	familyOfIPv4 = 1
	familyOfIPv6 = 2
)

// askSTUN asks with a new port of ours each time: a NAT that keeps an old
// mapping would show an old address.
func askSTUN(ctx context.Context, c *provider.Client, s *service, q Question) (netip.Addr, error) {
	host, portText, _ := strings.Cut(s.at(q.Family), ":")
	port, _ := strconv.ParseUint(portText, 10, 16)
	conn, err := c.UDP(ctx, host, uint16(port), q.call(""))
	if err != nil {
		return netip.Addr{}, unanswered{err}
	}
	defer conn.Close()
	request := make([]byte, stunHeader)
	binary.BigEndian.PutUint16(request, stunRequest)
	binary.BigEndian.PutUint32(request[4:], stunCookie)
	rand.Read(request[8:])
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var buf [576]byte
	for wait := 500 * time.Millisecond; ; wait *= 2 { // RFC 8489 section 6.2.1
		if _, err := conn.Write(request); err != nil {
			return netip.Addr{}, unanswered{err}
		}
		conn.SetReadDeadline(time.Now().Add(wait))
		for ctx.Err() == nil {
			n, err := conn.Read(buf[:])
			if err != nil {
				if timeout := net.Error(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
					return netip.Addr{}, unanswered{err}
				}
				break
			}
			if a, ok := parseSTUN(buf[:n], request[4:]); ok {
				return a, nil
			}
		}
		if wait > time.Second || ctx.Err() != nil {
			return netip.Addr{}, unanswered{errors.New("no answer")}
		}
	}
}

// parseSTUN reads a success; id is the cookie and the transaction's number.
func parseSTUN(b, id []byte) (a netip.Addr, ok bool) {
	if len(b) < stunHeader || len(id) != 16 || binary.BigEndian.Uint16(b) != stunSuccess || !bytes.Equal(b[4:stunHeader], id) {
		return a, false
	}
	attributes := b[stunHeader:]
	if int(binary.BigEndian.Uint16(b[2:])) != len(attributes) {
		return a, false
	}
	for len(attributes) >= 4 {
		kind, size := binary.BigEndian.Uint16(attributes), int(binary.BigEndian.Uint16(attributes[2:]))
		value := attributes[4:]
		if size > len(value) {
			return a, false
		}
		attributes = value[min(len(value), (size+3)&^3):]
		if value = value[:size]; kind != mappedXOR || size < 8 {
			continue
		}
		var plain [16]byte
		for i := range min(size-4, 16) {
			plain[i] = value[4+i] ^ id[i]
		}
		switch {
		case value[1] == familyOfIPv4 && size == 8:
			return netip.AddrFrom4([4]byte(plain[:])), true
		case value[1] == familyOfIPv6 && size == 20:
			return netip.AddrFrom16(plain), true
		}
	}
	return a, false
}
