package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// Watch follows a gateway's outside address until ctx ends: it reports what
// the gateway says at first, whenever that changes, and after each receive from
// again, which makes it look at once. report is called by one goroutine.
func Watch(ctx context.Context, gw Gateway, client *provider.Client, again <-chan struct{}, report func(Finding)) {
	w := &watch{gw: &gw, client: client, report: report, notices: make(chan notice), found: make(chan *igd), pause: firstPoll}
	notices(ctx, &gw, w.notices)
	w.search(ctx)
	w.look(ctx, false, true)
	w.subscribe(ctx)
	poll := time.NewTimer(w.next())
	defer poll.Stop()
	defer w.leave()
	for {
		select {
		case n := <-w.notices:
			w.heard(ctx, n)
		case w.igd = <-w.found:
			w.searching, w.noUPnP = false, w.igd == nil
			if w.igd == nil && !w.reported {
				w.tell(w.pending, true)
			} else if w.igd != nil && !w.last.Addr.IsValid() {
				w.look(ctx, false, !w.reported)
			}
		case <-again:
			w.last.Round++
			w.pause, w.mute, w.noUPnP = firstPoll, false, false
			w.search(ctx)
			w.look(ctx, false, true)
		case <-poll.C: // or time to renew
			noticed := w.pause < firstPoll // it is a notice that made it look so soon
			w.pause = nextPoll(w.pause, w.last.By != "", w.last.Events)
			w.search(ctx)
			w.look(ctx, noticed, false)
		case <-ctx.Done():
			return
		}
		w.subscribe(ctx)
		poll.Reset(w.next())
	}
}

// watch is what one Watch knows. It is owned by one goroutine.
type watch struct {
	gw       *Gateway
	client   *provider.Client
	report   func(Finding)
	notices  chan notice
	found    chan *igd // what a search found; nil: nothing
	last     Finding
	reported bool
	pending  Finding // to be reported if a search finds nothing

	port  string    // who answers at the gateway's port: natpmp, pcp, ""
	mute  bool      // nobody did, and UPnP is asked alone
	epoch uint32    // it said last
	at    time.Time // when

	igd       *igd // nil: none
	searching bool
	noUPnP    bool // a search found nothing
	callback  *callback
	sid       string    // of the subscription; "": there is none
	renewal   time.Time // of it

	pause time.Duration // until the next look without a notice
	spent []time.Time   // the last looks that a notice caused
}

// next is how long to sleep.
func (w *watch) next() time.Duration {
	if until := time.Until(w.renewal); w.sid != "" && until < w.pause+w.pause/2 {
		return max(until, 0) // one wake-up for both
	}
	return w.pause
}

// look asks the gateway. announced: a notice is why; always: it is reported
// even if nothing has changed.
func (w *watch) look(ctx context.Context, announced, always bool) {
	f := Finding{Events: w.last.Events, Round: w.last.Round}
	if m, err := w.atPort(ctx); err == nil {
		f.By, f.Addr = w.port, m.addr
		w.epochs(m)
		if m.result != 0 || !m.addr.IsValid() {
			f.Addr, f.Err = netip.Addr{}, errors.New(m.problem())
		}
	} else {
		f.Err = err
	}
	if f.Err != nil && w.igd != nil {
		// It may know more, of an address that is private for instance.
		if a, err := w.igd.address(ctx); err == nil {
			f.By, f.Addr, f.Err = upnp, a, nil
		} else if errors.Is(err, errNoOutside) {
			f.By, f.Err = upnp, err
		} else if f.By == "" {
			f.Err = err
		}
	}
	if errors.Is(f.Err, errSilent) {
		f.Err = errors.New("no answer to PCP, NAT-PMP and UPnP")
	}
	if f.Err != nil {
		f.Err = fmt.Errorf("the router above, %v: %w", w.gw.Addr, f.Err)
	}
	if f.By == "" && w.last.By != "" {
		w.pause = firstPoll // it may be starting anew
	}
	f.Announced = announced && f.Addr != w.last.Addr
	if ctx.Err() != nil || f.By == "" && w.searching && !w.reported {
		w.pending = f // the search will tell
		return
	}
	w.tell(f, always)
}

// upnpFirst is how long the port may stay silent when UPnP could answer.
const upnpFirst = 250 * time.Millisecond

// atPort asks at the port of PCP and NAT-PMP, but not for long if there is UPnP.
func (w *watch) atPort(ctx context.Context) (message, error) {
	if w.mute && w.igd != nil {
		return message{}, errSilent
	}
	type answer struct {
		m   message
		by  string
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, 1)
	by := w.port
	go func() {
		m, by, err := query(ctx, w.gw, by)
		answers <- answer{m, by, err}
	}()
	var enough <-chan time.Time
	if w.igd != nil {
		enough = time.After(upnpFirst)
	}
	for {
		select {
		case a := <-answers:
			w.port, w.mute = "", errors.Is(a.err, errSilent)
			if a.err == nil {
				w.port = a.by
			}
			return a.m, a.err
		case w.igd = <-w.found:
			if w.searching, w.noUPnP = false, w.igd == nil; w.igd != nil {
				enough = time.After(upnpFirst)
			}
		case <-enough:
			w.port, w.mute = "", true
			return message{}, errSilent
		}
	}
}

func (w *watch) tell(f Finding, always bool) {
	same := f.Addr == w.last.Addr && f.By == w.last.By && f.Events == w.last.Events && (f.Err == nil) == (w.last.Err == nil)
	w.last = f
	if always || !same || !w.reported {
		w.reported = true
		w.report(f)
	}
}

// Notices that make it look at once: this many within this time. More are left
// to the poll that follows: whoever sends them must not make this router send.
const (
	noticeBurst = 20
	noticeTime  = 10 * time.Second
)

// heard looks because of a notice. What a notice says is never taken for
// true: the first one after a change may have the old address, and anybody
// on the link can send one in the gateway's name.
func (w *watch) heard(ctx context.Context, n notice) {
	now := time.Now()
	fresh := w.spent[:0]
	for _, t := range w.spent {
		if now.Sub(t) < noticeTime {
			fresh = append(fresh, t)
		}
	}
	w.spent = fresh
	proof := !w.last.Events
	if proof && n.by == upnp && n.addr == w.last.Addr && n.addr.IsValid() {
		// The notice that comes with a subscription. A later one with the same
		// address may be of a change that is not over yet: miniupnpd sends no
		// other when it is, if the first is still under way.
		f := w.last
		f.Events, f.Announced = true, false
		w.pause = quietPoll
		w.tell(f, false)
		return
	}
	if len(w.spent) == noticeBurst {
		return
	}
	w.spent = append(w.spent, now)
	w.pause = noticePoll
	if n.epoch != nil {
		w.epochs(*n.epoch)
	}
	before := w.last.Addr
	w.look(ctx, true, false)
	// What was announced and then confirmed shows that notices come through.
	if proof && (n.addr == w.last.Addr || before != w.last.Addr) && w.last.Addr.IsValid() {
		f := w.last
		f.Events = true
		w.tell(f, false)
	}
}

// epochs notices that the gateway has lost its state, perhaps its subscriptions
// with it, and makes them be renewed.
func (w *watch) epochs(m message) {
	now := time.Now()
	if !w.at.IsZero() && restarted(w.epoch, m.epoch, uint32(now.Sub(w.at)/time.Second)) {
		w.renewal = now
	}
	w.epoch, w.at = m.epoch, now
}

// search looks for a UPnP gateway, if none is known, beside everything else.
func (w *watch) search(ctx context.Context) {
	if w.searching || w.igd != nil || w.noUPnP && w.last.By != "" {
		return
	}
	w.searching = true
	go func() {
		var d *igd
		tried := ""
		discover(ctx, w.gw, func(url string) bool {
			if url != tried {
				tried = url
				d, _ = describe(ctx, w.client, w.gw, url)
			}
			return d != nil
		})
		select {
		case w.found <- d:
		case <-ctx.Done():
		}
	}()
}

// subscribe asks for notices if nothing brings them, or renews that.
func (w *watch) subscribe(ctx context.Context) {
	if w.igd == nil || w.igd.events == "" || w.sid != "" && time.Until(w.renewal) > 0 {
		return
	}
	if w.callback == nil {
		c, err := listen(w.gw)
		if err != nil {
			w.igd.events = ""
			return
		}
		w.callback = c
		go c.serve(ctx, w.notices)
	}
	had := w.sid != ""
	sid, lease, err := w.igd.subscribe(ctx, w.callback.url(), w.sid)
	if err != nil && had { // it has forgotten us
		sid, lease, err = w.igd.subscribe(ctx, w.callback.url(), "")
	}
	w.sid, w.renewal = sid, time.Now().Add(lease/2)
	switch {
	case err != nil && had: // it has moved, or gone
		w.igd, w.last.Events = nil, false
		w.search(ctx)
	case err != nil:
		w.igd.events = ""
	}
}

// farewell is how long the end may take.
const farewell = 300 * time.Millisecond

// leave ends the subscription.
func (w *watch) leave() {
	if w.sid == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	w.igd.unsubscribe(ctx, w.sid)
}
