// Package outside asks those who know what the kernel does not: a user's
// program, the router above this one, services that tell where a request came
// from. It is the edge between the questions of package address and the rooms
// that speak to the world; it remembers no answer and decides nothing.
//
// Start with [New].
package outside

import (
	"context"
	"net/netip"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/echo"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/upstream"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// Asker answers questions. It may be used by several goroutines.
type Asker struct {
	client *provider.Client
	echo   *echo.Services
}

// New returns an asker whose requests are made with these options.
func New(opt provider.Options) *Asker {
	c := provider.NewClient(opt)
	return &Asker{c, echo.New(c)}
}

// Ask asks once, and returns when there is an answer: within half a minute or
// so, and at once when ctx is done.
func (a *Asker) Ask(ctx context.Context, q address.Question) address.External {
	x := address.External{Place: q.Place}
	switch q.Kind {
	case address.Command:
		addr, err := command(ctx, q.Source.Command, commandTimeout)
		if x.Err = err; err == nil {
			x.Addrs, x.By = []netip.Addr{addr}, q.Source.Command[0]
		}
	case address.Echo:
		addr, by, err := a.echo.Ask(ctx, echo.Question{
			Family: q.Family, Device: q.Device, From: q.From, Known: q.Known, URL: q.Source.URL, Pattern: q.Source.Pattern,
			Refused: func(addr netip.Addr) string { return address.Refused(addr, q.Source.AllowPrivate) },
		})
		if x.Err = err; err == nil {
			x.Addrs, x.By = []netip.Addr{addr}, by
		}
	}
	return x
}

// Watch follows the router above until ctx ends: it reports what that says at
// first, each change, and what it says after each receive from again.
func (a *Asker) Watch(ctx context.Context, q address.Question, again <-chan struct{}, report func(address.External)) {
	gw := upstream.Gateway{Device: q.Device, Link: q.Link, Local: q.From, Addr: q.Gateway, Addr6: q.Gateway6}
	upstream.Watch(ctx, gw, a.client, again, func(f upstream.Finding) {
		x := address.External{Place: q.Place, Announced: f.Announced, Events: f.Events, Err: f.Err, Round: f.Round}
		if f.By != "" {
			x.By = f.By + " at " + gw.Addr.String()
		}
		if f.Addr.IsValid() {
			x.Addrs = []netip.Addr{f.Addr}
		}
		report(x)
	})
}

// Fill asks everything that the sources of a set want to know, until they want
// to know nothing new or ctx ends: for a single look.
func (a *Asker) Fill(ctx context.Context, set *address.Set, snap *netwatch.Snapshot) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asked := map[address.Place]bool{}
	answers := make(chan address.External)
	for owed := 0; ; owed-- {
		set.Answers(snap)
		for _, q := range set.Questions() {
			if asked[q.Place] {
				continue
			}
			asked[q.Place] = true
			owed++
			report := func(x address.External) {
				select {
				case answers <- x:
				case <-ctx.Done():
				}
			}
			if q.Kind == address.Upstream {
				once, end := context.WithCancel(ctx)
				go a.Watch(once, q, nil, func(x address.External) { report(x); end() })
			} else {
				go func() { report(a.Ask(ctx, q)) }()
			}
		}
		if owed == 0 {
			return
		}
		select {
		case x := <-answers:
			set.Put(x)
		case <-ctx.Done():
			return
		}
	}
}
