// Package echo learns the address that the world sees by asking services that
// tell where a request came from: by HTTPS, DNS and STUN, a few of several
// independent operators, and one URL of the user's own instead.
//
// One service is never enough to believe a new address: two operators must
// agree, and not both by DNS, which networks like to answer themselves. To
// confirm what is known already, one is. Services are asked in turn and never
// more often than their operators allow. The package decides nothing about
// what is published, and remembers no address.
//
// Start with [Services.Ask].
package echo

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// Question is what is asked.
type Question struct {
	Family       config.Family
	Device       string     // kernel device that requests leave through
	From         netip.Addr // our address there
	Known        netip.Addr // the address that is believed already; zero: none
	URL, Pattern string     // asked instead of the built-in services; Pattern as of Find

	// Refused says why an address is none to publish; "": it is one.
	Refused func(netip.Addr) string
}

// Services asks. It remembers when each service was asked. It may be used by
// several goroutines.
type Services struct {
	client *provider.Client
	ask    [3]func(context.Context, *provider.Client, *service, Question) (netip.Addr, error) // by kind

	mu    sync.Mutex
	turn  int
	asked map[string]time.Time // by operator and host
}

// New returns services asked by a client.
func New(client *provider.Client) *Services {
	s := &Services{client: client, asked: map[string]time.Time{}}
	s.ask[byHTTPS], s.ask[byDNS], s.ask[bySTUN] = askHTTPS, askDNS, askSTUN
	return s
}

// answer is what one service said.
type answer struct {
	*service
	addr netip.Addr
	err  error
}

// unbelieved says why answers are not enough.
func unbelieved(got []answer) error {
	names := ""
	for i := range got {
		if got[i].addr != got[0].addr {
			return errors.New("echo services do not agree about the address; none is believed")
		}
		if i > 0 {
			names += " and "
		}
		names += got[i].name()
	}
	return fmt.Errorf("%v is told by %s alone; two operators must agree, and not both by DNS, which networks like to answer themselves", got[0].addr, names)
}

// Ask finds the address. by names who was believed; err says why nobody was.
func (s *Services) Ask(ctx context.Context, q Question) (addr netip.Addr, by string, err error) {
	if q.URL != "" {
		return s.own(ctx, q)
	}
	list := s.choose(q.Family, time.Now())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, len(list))
	var got []answer
	running, width := 0, 2
	if q.Known.IsValid() {
		width = 1
	}
	for {
		for ; len(list) > 0 && running < width; running++ {
			sv := list[0]
			list = list[1:]
			go func() {
				a, err := s.one(ctx, sv, q)
				answers <- answer{sv, a, err}
			}()
		}
		if running == 0 {
			break
		}
		a := <-answers
		running--
		if width = 2; a.err != nil {
			err = fmt.Errorf("%s: %w", a.name(), a.err)
			continue
		}
		if a.addr == q.Known {
			return a.addr, a.name(), nil
		}
		for _, b := range got {
			if a.addr == b.addr && a.operator != b.operator && (a.kind != byDNS || b.kind != byDNS) {
				return a.addr, b.name() + " and " + a.name(), nil
			}
		}
		got = append(got, a)
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case len(got) > 0:
		err = unbelieved(got)
	case err == nil:
		err = errors.New("the echo services were all asked within the last minute")
	default:
		err = fmt.Errorf("no echo service answers; the last one was %w", err)
	}
	return addr, "", err
}

// own asks the user's URL, which is believed alone.
func (s *Services) own(ctx context.Context, q Question) (netip.Addr, string, error) {
	sv := &service{kind: byHTTPS, v4: q.URL, v6: q.URL}
	host := sv.host(q.Family)
	for _, t := range terms {
		if host == t.host || strings.HasSuffix(host, "."+t.host) {
			sv.every = t.every
		}
	}
	if wait := s.wait(sv, host, time.Now()); wait > 0 {
		return netip.Addr{}, "", fmt.Errorf("%s asks to be left alone for %v between two questions", host, sv.pause())
	}
	a, err := s.one(ctx, sv, q)
	if err != nil {
		return a, "", fmt.Errorf("%s: %w", host, err)
	}
	return a, host, nil
}

// choose returns whom to ask about a family, kinds in turn, beginning with
// another one each time.
func (s *Services) choose(f config.Family, now time.Time) []*service {
	s.mu.Lock()
	turn := s.turn
	s.turn++
	s.mu.Unlock()
	var kinds [3][]*service
	for i := range builtin {
		sv := &builtin[(i+turn)%len(builtin)]
		if host := sv.host(f); host != "" && s.wait(sv, host, now) == 0 {
			kinds[sv.kind] = append(kinds[sv.kind], sv)
		}
	}
	var list []*service
	for n := range len(builtin) {
		for k := range kinds {
			if of := kinds[(k+turn)%len(kinds)]; n < len(of) {
				list = append(list, of[n])
			}
		}
	}
	return list
}

// wait is how long a service must still be left alone.
func (s *Services) wait(sv *service, host string, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, asked := s.asked[sv.operator+host]
	if !asked {
		return 0
	}
	return max(0, last.Add(sv.pause()).Sub(now))
}

// one asks one service.
func (s *Services) one(ctx context.Context, sv *service, q Question) (netip.Addr, error) {
	key, now := sv.operator+sv.host(q.Family), time.Now()
	s.mu.Lock()
	before := s.asked[key]
	s.asked[key] = now
	s.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, patience[sv.kind])
	defer cancel()
	a, err := s.ask[sv.kind](limited, s.client, sv, q)
	if u, ok := err.(unanswered); ok {
		s.mu.Lock()
		// Silence is no burden to anybody; a question that was given up, as others
		// have answered, may have been heard. The other family may have asked the
		// same host meanwhile.
		if ctx.Err() == nil && s.asked[key] == now {
			s.asked[key] = before
		}
		s.mu.Unlock()
		err = u.error
	}
	if err != nil {
		return netip.Addr{}, err
	}
	a = a.Unmap()
	if config.FamilyOf(a) != q.Family {
		return netip.Addr{}, fmt.Errorf("it tells %v, which is no %v address", a, q.Family)
	}
	if why := q.Refused(a); why != "" {
		return netip.Addr{}, fmt.Errorf("it tells %v, which is %s", a, why)
	}
	return a, nil
}
