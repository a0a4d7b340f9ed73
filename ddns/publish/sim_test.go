package publish

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// simNet is a router's kernel as the loop sees it: it delivers snapshots as a
// watcher does, newest first.
type simNet struct {
	mu      sync.Mutex
	snap    netwatch.Snapshot
	at      map[netip.Addr]time.Time // when an address was last on the WAN
	present map[netip.Addr]bool
	ch      chan *netwatch.Snapshot
}

func newSimNet() *simNet {
	n := &simNet{at: map[netip.Addr]time.Time{}, present: map[netip.Addr]bool{}, ch: make(chan *netwatch.Snapshot, 1)}
	n.snap.Links = []netwatch.Link{{Index: 2, Name: "wan", Up: true, Carrier: true}}
	n.routes(true)
	n.deliver()
	return n
}

func (n *simNet) routes(there bool) {
	n.snap.Routes = nil
	if there {
		n.snap.Routes = []netwatch.Route{
			{Dst: netip.MustParsePrefix("0.0.0.0/0"), Table: 254, Link: 2, Gateway: netip.MustParseAddr("8.8.4.1")},
			{Dst: netip.MustParsePrefix("::/0"), Table: 254, Link: 2},
		}
	}
}

// set replaces the WAN's addresses and tells the loop.
func (n *simNet) set(addrs ...netwatch.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for a := range n.present {
		n.at[a] = time.Now()
	}
	clear(n.present)
	n.snap.Addrs = nil
	for _, a := range addrs {
		a.Link = 2
		n.snap.Addrs = append(n.snap.Addrs, a)
		n.present[a.Addr] = true
	}
	n.send()
}

func (n *simNet) deliver() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.send()
}

func (n *simNet) send() {
	s := n.snap
	s.Seq++
	n.snap.Seq++
	s.At = time.Now()
	s.Addrs, s.Routes, s.Links = slices.Clone(s.Addrs), slices.Clone(s.Routes), slices.Clone(s.Links)
	select {
	case <-n.ch:
	default:
	}
	n.ch <- &s
}

// ours says whether an address is the router's at this very moment.
func (n *simNet) ours(a netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.present[a] || n.at[a].Equal(time.Now())
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func v4(s string) netwatch.Addr { return netwatch.Addr{Addr: ip(s), Bits: 24} }

// simProvider is a provider with a memory: it checks each request against the
// rules of a good client and answers as told.
type simProvider struct {
	t    testing.TB
	net  *simNet
	mu   sync.Mutex
	rng  *rand.Rand
	keys map[string]*simKey

	limits  provider.Limits
	joined  bool                                                       // comma lists
	reply   func(host string, n int) (provider.Outcome, time.Duration) // scripted
	sent    []string                                                   // "host family addr"
	times   []time.Time                                                // of each in sent
	healthy bool                                                       // always good, at once
	removed []provider.Update
}

// simKey is what the provider remembers of one name and family.
type simKey struct {
	actual   netip.Addr // what its DNS has
	accepted netip.Addr // what it last confirmed
	doubt    bool       // the last request got no answer
	started  time.Time
	until    time.Time // told to wait
	blocked  bool
	excuse   int       // requests that the user or the configuration asked for,
	excused  time.Time // and when
	asked    time.Time // when the user last asked for what is not blocked or waiting
	unsent   bool      // the last request did not get as far as the provider
	inFlight bool
}

func newSimProvider(t testing.TB, net *simNet, seed uint64) *simProvider {
	return &simProvider{t: t, net: net, rng: rand.New(rand.NewPCG(seed, 1)), keys: map[string]*simKey{},
		limits: provider.Limits{ServerErrorWait: 30 * time.Minute}}
}

func (p *simProvider) Limits() provider.Limits { return p.limits }

func (p *simProvider) Group(u []provider.Update) [][]int {
	var groups [][]int
	for i := range u {
		joined := false
		for g := range groups {
			if p.joined && u[groups[g][0]].Addr == u[i].Addr {
				groups[g], joined = append(groups[g], i), true
				break
			}
		}
		if !joined {
			groups = append(groups, []int{i})
		}
	}
	return groups
}

func (p *simProvider) key(u provider.Update) *simKey {
	k := u.Hostname + " " + u.Family.String()
	if p.keys[k] == nil {
		p.keys[k] = new(simKey)
	}
	return p.keys[k]
}

func (p *simProvider) Send(ctx context.Context, from provider.Origin, updates []provider.Update) []provider.Outcome {
	p.mu.Lock()
	for _, u := range updates {
		p.judge(u)
	}
	outcome, delay := p.decide(updates[0].Hostname)
	applies := outcome.Class.Done() || outcome.Class == provider.Network && outcome.Sent && p.rng.IntN(2) == 0
	p.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			p.mu.Lock()
			sent := p.rng.IntN(2) == 0
			outcome = provider.Outcome{Class: provider.Network, Text: "given up", Sent: sent}
			applies = sent && p.rng.IntN(2) == 0
			p.mu.Unlock()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var outcomes []provider.Outcome
	for _, u := range updates {
		k := p.key(u)
		k.inFlight, k.unsent = false, outcome.Class == provider.Network && !outcome.Sent
		if applies {
			k.actual = u.Addr
		}
		if outcome.Class.Done() {
			k.accepted, k.doubt = u.Addr, false
			if k.started.After(k.excused) {
				k.excuse = 0
			}
		}
		if outcome.Class == provider.Network && outcome.Sent {
			k.doubt = true
		}
		if outcome.Class.Permanent() && k.started.After(k.excused) {
			k.blocked = true // what was asked before the configuration changed does not count
		}
		switch outcome.Class {
		case provider.ServerError:
			k.until = time.Now().Add(p.limits.ServerErrorWait)
			if outcome.Wait > 0 {
				k.until = time.Now().Add(outcome.Wait)
			}
		case provider.TooMany:
			k.until = time.Now().Add(outcome.Wait)
		}
		if outcome.NoPath {
			k.started = time.Time{}
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes
}

// judge holds one request against the rules.
func (p *simProvider) judge(u provider.Update) {
	k, now := p.key(u), time.Now()
	name := fmt.Sprintf("%s %v %v", u.Hostname, u.Family, u.Addr)
	p.sent, p.times = append(p.sent, name), append(p.times, now)
	if !u.Addr.IsValid() {
		p.t.Errorf("%s: empty address", name)
	}
	if !p.net.ours(u.Addr) {
		p.t.Errorf("%s: not our address", name)
	}
	if u.Addr.IsPrivate() || !u.Addr.IsGlobalUnicast() {
		p.t.Errorf("%s: not a public address", name)
	}
	if config.FamilyOf(u.Addr) != u.Family {
		p.t.Errorf("%s: wrong family", name)
	}
	if k.accepted == u.Addr && !k.doubt && k.excuse == 0 {
		p.t.Errorf("%s: request without a cause", name)
	}
	if k.blocked {
		p.t.Errorf("%s: request after a block", name)
	}
	if now.Before(k.until) {
		p.t.Errorf("%s: request %v before the end of the wait", name, k.until.Sub(now))
	}
	if now.Sub(k.started) < steady && !(k.unsent && k.asked.After(k.started)) {
		p.t.Errorf("%s: second request after %v", name, now.Sub(k.started))
	}
	if k.inFlight {
		p.t.Errorf("%s: two requests at a time", name)
	}
	k.inFlight, k.started = true, now
}

func good(text string) provider.Outcome {
	return provider.Outcome{Class: provider.Updated, Text: text, Sent: true}
}

// decide picks an outcome: scripted, or at random.
func (p *simProvider) decide(host string) (provider.Outcome, time.Duration) {
	if p.reply != nil {
		return p.reply(host, len(p.sent))
	}
	if p.healthy {
		return good("good"), 30 * time.Millisecond
	}
	delay := time.Duration(p.rng.Int64N(int64(3 * time.Second)))
	switch p.rng.IntN(12) {
	case 0:
		return provider.Outcome{Class: provider.ServerError, Text: "911", Sent: true}, delay
	case 1:
		return provider.Outcome{Class: provider.TooMany, Text: "429", Wait: time.Duration(1+p.rng.IntN(3600)) * time.Second, Account: p.rng.IntN(2) == 0, Sent: true}, delay
	case 2:
		return provider.Outcome{Class: provider.Network, Text: "no route", NoPath: true}, 0
	case 3:
		return provider.Outcome{Class: provider.Network, Text: "closed", Sent: true}, delay
	case 4:
		return provider.Outcome{Class: provider.Network, Text: "refused"}, delay
	case 5:
		return provider.Outcome{Class: provider.Unknown, Text: "<html>", Sent: true}, delay
	case 6:
		return provider.Outcome{Class: provider.NoHost, Text: "nohost", Sent: true}, delay
	case 7:
		return good("good"), 20 * time.Second // hangs
	case 8:
		return provider.Outcome{Class: provider.Unchanged, Text: "nochg", Sent: true}, delay
	}
	return good("good"), delay
}

// Remove notes what was taken away.
func (p *simProvider) Remove(_ context.Context, _ provider.Origin, updates []provider.Update) []provider.Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.removed = append(p.removed, updates...)
	return []provider.Outcome{good("removed")}
}

// excuseAll allows one request for each name although nothing changed.
func (p *simProvider) excuseAll(unblock bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.keys {
		k.excuse, k.excused = 1, time.Now()
		if unblock {
			k.blocked, k.until = false, time.Time{}
		}
	}
}

// ask notes that the user asks for what is due.
func (p *simProvider) ask() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.keys {
		k.asked = time.Now()
	}
}

func (p *simProvider) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sent)
}

// quiet is a logger for tests that keeps the lines.
type quiet struct {
	mu    sync.Mutex
	lines []string
}

func (q *quiet) add(prefix, format string, args []any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lines = append(q.lines, prefix+fmt.Sprintf(format, args...))
}

func (q *quiet) Debugf(format string, args ...any) {}
func (q *quiet) Infof(format string, args ...any)  { q.add("", format, args) }
func (q *quiet) Warnf(format string, args ...any)  { q.add("warning: ", format, args) }
func (q *quiet) Errorf(format string, args ...any) { q.add("error: ", format, args) }
