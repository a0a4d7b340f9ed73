package address

import (
	"net/netip"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// What can be asked beyond the kernel.
const (
	Command  = "command"  // a program
	Upstream = "upstream" // the router above this one
	Echo     = "echo"     // services that tell where a request came from
)

// Place says who is asked for which source, and from where. An answer holds
// for its place alone.
type Place struct {
	Kind   string
	Source *config.Source
	Family config.Family // 0 for a program, which may print any

	// Of upstream and echo: the way there.
	Device            string     // kernel device
	Link              int        // its index
	From              netip.Addr // our address on it
	Gateway, Gateway6 netip.Addr // next router; 6: its link-local IPv6 address, zero if unknown
}

// Question is what a source wants to know from beyond the kernel. It is asked
// when it is new and when Path or Hint is another than before.
type Question struct {
	Place
	Path  uint64     // changes whenever the way out does
	Hint  netip.Addr // what the router above has outside
	Poll  bool       // nothing tells of a change: it is also asked at intervals
	Known netip.Addr // what was believed last
}

// External is an answer from beyond the kernel.
type External struct {
	Place     Place
	Addrs     []netip.Addr
	By        string // who answered, as the end of "found by …"; "": nobody did
	Announced bool   // by itself, upon a change
	Events    bool   // it is known to announce changes
	Err       error  // why there is no address
	Round     int    // of upstream: how many times it had been made to look again
}

// slot is where an answer is kept.
type slot struct {
	kind   string
	family config.Family
}

// found is the last answer for a place.
type found struct {
	External
	known bool // there was an answer
}

// at returns what was found for a place.
func (s *source) at(p Place) found {
	f := s.found[slot{p.Kind, p.Family}]
	if f.Place != p {
		return found{}
	}
	return f
}

// Put stores an answer. Where nobody answers, what was found before stands.
func (s *Set) Put(x External) {
	for _, src := range s.sources {
		if src.Source != x.Place.Source {
			continue
		}
		if x.Err != nil && x.By == "" {
			before := src.at(x.Place)
			x.Addrs, x.By, x.Announced = before.Addrs, before.By, before.Announced
		}
		src.found[slot{x.Place.Kind, x.Place.Family}] = found{x, true}
	}
}

// Questions are what the sources want to know, as of the last Answers.
func (s *Set) Questions() []Question { return s.questions }

// addr is the first address of what was found.
func (f found) addr() netip.Addr {
	if len(f.Addrs) == 0 {
		return netip.Addr{}
	}
	return f.Addrs[0]
}

// fromCommand answers with what a program printed.
func (s *source) fromCommand(a *Answer, x found, list *[]Candidate) {
	for _, addr := range x.Addrs {
		if config.FamilyOf(addr) != a.Family {
			continue
		}
		rank, reason := scopeOf(addr, s.AllowPrivate)
		taken := rank < refused && !a.Addr.IsValid()
		switch {
		case taken:
			a.Addr, reason = addr, ""
		case rank < refused:
			reason = "another address was printed first"
		default:
			a.Note = addr.String() + " is " + reason
		}
		if list != nil {
			*list = append(*list, Candidate{Addr: addr, Bits: addr.BitLen(), Taken: taken, Reason: reason})
		}
	}
	switch {
	case x.Err != nil:
		a.Note = x.Err.Error()
	case !x.known:
		a.Note = "the program has not answered yet"
	case !a.Addr.IsValid() && a.Note == "":
		a.Note = "the program printed no " + a.Family.String() + " address"
	}
}

// beyond answers for a source whose device has no address that can be
// published, or whose method does not look there: first with what the router
// above says, then with what echo services do. ask, if not nil, receives the
// questions.
func (s *source) beyond(snap *netwatch.Snapshot, a *Answer, list *[]Candidate, ask *[]Question) {
	link, why := s.link(snap, a.Family)
	if why != "" {
		return
	}
	local := s.local(snap, link, a.Family)
	if !local.IsValid() || a.Unrouted {
		return // nothing can be asked; the note says why there is no address
	}
	a.Addr, a.Method, a.From = netip.Addr{}, s.Method, local
	localRank, what := scopeOf(local, true)
	place := Place{Source: s.Source, Family: a.Family, Device: link.Name, Link: link.Index, From: local}
	place.Gateway, place.Gateway6 = gateways(snap, link, local)
	note := func(text string) {
		if a.Note != "" {
			text = a.Note + "; " + text
		}
		a.Note = text
	}
	if a.Note = ""; what != "" {
		a.Note = local.String() + " is " + what
	}

	var up found
	if a.Family == config.IPv4 && (s.Method != Echo || localRank != public) && place.Gateway.IsValid() {
		place.Kind = Upstream
		up = s.at(place)
		put(ask, Question{Place: place, Path: a.Path})
		if s.Method != Echo {
			s.fromUpstream(a, up, list, note)
		}
		if !up.known && s.Method != "upstream" {
			return // its answer decides whether, and how often, echo services are asked
		}
	} else if s.Method == Upstream {
		note("no router above is known")
	}
	if s.Method == Upstream || a.Addr.IsValid() && up.Err == nil {
		return
	}
	place.Kind, place.Gateway, place.Gateway6 = Echo, netip.Addr{}, netip.Addr{}
	echo := s.at(place)
	outside, _ := scopeOf(up.addr(), false)
	q := Question{Place: place, Path: a.Path, Hint: up.addr(), Known: echo.addr()}
	// Nothing can change unseen while the kernel has the address itself, or
	// the router above has it and announces changes.
	q.Poll = echo.addr() != local && !(up.Events && up.addr().IsValid() && outside == public)
	if !q.Known.IsValid() {
		q.Known = s.taken[index(a.Family)]
	}
	put(ask, q)
	s.fromEcho(a, echo, list, note)
}

func put(ask *[]Question, q Question) {
	if ask != nil {
		*ask = append(*ask, q)
	}
}

// Behind says of an address that the router above has outside that the world
// does not reach it; "": it may be published.
func Behind(a netip.Addr, allowPrivate bool) string {
	if !a.IsValid() {
		return ""
	}
	switch Refused(a, allowPrivate) {
	case "":
		return ""
	case cgnat:
		return "the router above is behind CGNAT: " + a.String()
	}
	return "the router above is behind another NAT: " + a.String()
}

// fromUpstream answers with what the router above has outside.
func (s *source) fromUpstream(a *Answer, up found, list *[]Candidate, note func(string)) {
	addr := up.addr()
	rank, what := scopeOf(addr, s.AllowPrivate)
	switch {
	case !up.known:
		note("the router above has not answered yet")
	case addr.IsValid() && rank != refused:
		a.Addr, a.By, a.Announced, a.Method = addr, up.By, up.Announced, Upstream
		if note("found by " + up.By); up.Err != nil {
			note("which does not answer now")
		}
	case addr.IsValid():
		note(Behind(addr, s.AllowPrivate))
	case up.Err != nil:
		note(up.Err.Error())
	}
	if addr.IsValid() {
		if rank != refused {
			what = ""
		} else {
			what = "the router above has it outside, and it is " + what
		}
		candidate(list, a, addr, what)
	}
}

// fromEcho answers with what echo services see.
func (s *source) fromEcho(a *Answer, echo found, list *[]Candidate, note func(string)) {
	addr := echo.addr()
	switch {
	case addr.IsValid():
		a.Addr, a.By, a.Announced, a.Method = addr, echo.By, false, Echo
		note("found by " + echo.By)
		candidate(list, a, addr, "")
	case !echo.known:
		note("no echo service has answered yet")
	case echo.Err != nil:
		note(echo.Err.Error())
	}
}

func candidate(list *[]Candidate, a *Answer, addr netip.Addr, reason string) {
	if list == nil {
		return
	}
	for i := range *list { // what the last word is about
		if c := &(*list)[i]; c.Taken && config.FamilyOf(c.Addr) == a.Family {
			c.Taken, c.Reason = false, "another way was found"
		}
	}
	*list = append(*list, Candidate{Addr: addr, Bits: addr.BitLen(), Taken: reason == "", Reason: reason})
}

// local is the address that questions are asked from: one of the link's that
// would be published, or that allow_private would admit.
func (s *source) local(snap *netwatch.Snapshot, link netwatch.Link, f config.Family) netip.Addr {
	lax := *s
	config := *s.Source
	config.AllowPrivate = true
	lax.Source = &config
	addr, _ := lax.pick(snap, link, "", f, nil)
	return addr
}

// gateways are the next routers of a link, by its default routes, else the far
// end of a point-to-point link.
func gateways(snap *netwatch.Snapshot, link netwatch.Link, local netip.Addr) (v4, v6 netip.Addr) {
	for i := range snap.Routes {
		r := &snap.Routes[i]
		switch {
		case r.Link != link.Index || !r.Gateway.IsValid():
		case r.Gateway.Is4() && !v4.IsValid():
			v4 = r.Gateway
		case r.Gateway.Is6() && !v6.IsValid():
			v6 = r.Gateway.WithZone("")
		}
	}
	for i := range snap.Addrs {
		if a := &snap.Addrs[i]; a.Link == link.Index && a.Addr == local && a.Peer.Is4() && !v4.IsValid() {
			v4 = a.Peer
		}
	}
	return v4, v6
}
