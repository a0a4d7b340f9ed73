package upstream

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// tries are the waits for an answer of the port, each after a packet (RFC 6886
// section 3.1, cut short: the gateway is one hop away).
var tries = [...]time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}

// errSilent says that nothing answers at the port.
var errSilent = errors.New("no answer")

// query asks the gateway's port for its outside address. NAT-PMP comes first
// because its question leaves nothing behind; a gateway that speaks PCP alone
// is asked for a mapping of our own port, which is taken away at once, and by
// tells so for the next time. err is errSilent if nobody answers.
func query(ctx context.Context, gw *Gateway, by string) (m message, _ string, err error) {
	s, err := connected(gw, serverPort)
	if err != nil {
		return m, "", err
	}
	defer s.Close()
	defer s.until(ctx)()
	if by == pcp {
		if m, err = s.mapped(ctx, gw); err == nil {
			return m, pcp, nil
		}
	}
	packets := [][]byte{askNATPMP, askAnnounce(gw.Local)}
	if by == natpmp {
		packets = packets[:1]
	}
	var unsupported, speaksPCP bool
	m, err = s.ask(ctx, func(m message) bool {
		unsupported = unsupported || m.op == opAnnounce && m.result == 1 // of NAT-PMP's version
		speaksPCP = speaksPCP || m.version == versionPCP && m.op == opAnnounce
		return m.version == versionNATPMP && m.result != 1 || speaksPCP && unsupported
	}, packets...)
	if speaksPCP && (err != nil || m.version == versionPCP || m.result == 1) {
		m, err = s.mapped(ctx, gw)
		return m, pcp, err
	}
	return m, natpmp, err
}

// ask sends packets and waits for an answer that is good, three times.
func (s *socket) ask(ctx context.Context, good func(message) bool, packets ...[]byte) (m message, err error) {
	var buf [1100]byte
	for _, wait := range tries {
		for _, p := range packets {
			if _, err := s.Write(p); err != nil {
				return m, silent(ctx, err)
			}
		}
		s.SetReadDeadline(time.Now().Add(wait))
		for {
			if ctx.Err() != nil { // it may have ended before the deadline was set
				return m, ctx.Err()
			}
			n, err := s.Read(buf[:])
			if errors.Is(err, unix.ECONNREFUSED) {
				return m, errSilent // the gateway says that nobody listens
			}
			if err != nil && ctx.Err() == nil {
				break
			}
			if m, ok := parse(buf[:n]); ok && good(m) {
				return m, nil
			}
		}
	}
	return m, errSilent
}

func silent(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, unix.ECONNREFUSED) {
		return errSilent
	}
	return err
}

// What a Finding was found by.
const (
	natpmp = "NAT-PMP"
	pcp    = "PCP"
	upnp   = "UPnP"
)

// mapSeconds is how long a mapping would stay if it could not be taken away:
// the least that RFC 6887 section 15 has servers grant.
const mapSeconds = 120

// mapped reads the outside address off a mapping of the socket's own port.
func (s *socket) mapped(ctx context.Context, gw *Gateway) (message, error) {
	var nonce [12]byte
	rand.Read(nonce[:])
	ours := func(m message) bool { return m.version == versionPCP && m.op == opMap && m.nonce == nonce }
	m, err := s.ask(ctx, ours, askMap(gw.Local, s.port(), nonce, mapSeconds))
	if err == nil && m.result == 0 {
		// Once more if need be: a mapping that stays for two minutes leads to
		// a socket that is closed.
		s.ask(ctx, ours, askMap(gw.Local, s.port(), nonce, 0))
	}
	return m, err
}

// discover looks for a UPnP gateway for two seconds.
func discover(ctx context.Context, gw *Gateway, found func(url string) bool) error {
	s, err := open(unix.SOCK_DGRAM, gw, netip.AddrPortFrom(gw.Local, 0))
	if err != nil {
		return err
	}
	defer s.Close()
	defer s.until(ctx)()
	var buf [2048]byte
	for range 2 {
		for _, target := range searches {
			// To the gateway itself too: a firewall lets its answer through.
			s.sendTo(search(target), gw, netip.AddrPortFrom(gw.Addr, ssdpPort))
			s.sendTo(search(target), gw, netip.AddrPortFrom(ssdpGroup, ssdpPort))
		}
		s.SetReadDeadline(time.Now().Add(1200 * time.Millisecond)) // MX is one second
		for ctx.Err() == nil {
			n, from, err := s.receive(buf[:])
			if errors.Is(err, unix.ECONNREFUSED) {
				continue
			}
			if err != nil {
				break
			}
			if url := location(buf[:n]); url != "" && from == gw.Addr && found(url) {
				return nil
			}
		}
	}
	return silent(ctx, errSilent)
}
