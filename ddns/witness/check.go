package witness

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// How thorough a check is.
type How uint8

// The kinds of checks.
const (
	Walk  How = iota // from the root down, all servers
	All              // all servers that the last walk found
	Light            // one of them, and one of their parent's
)

// Check is one look at what the DNS says of a name.
type Check struct {
	Name  string // in lower case, without the last dot; of "*.a.b" some name below a.b is asked for
	Type  uint16 // A, AAAA or CNAME
	How   How
	Roots []netip.AddrPort // none: those of the internet

	Last *Facts // of the last walk; nil: How is Walk
	Turn int    // which server a light check asks

	Alone bool // a light check does not ask for the delegation: another check did

	Time time.Duration // that the check may take; 0: usualTime

	Expected Expected // what bad news are held against, before they are believed
}

const (
	usualTime = 15 * time.Second
	askLimit  = 4 * time.Second // for one question to one server, TCP included; half of Time if that is less
)

// wildcardLabel stands for any name below a wildcard.
const wildcardLabel = "wanbeacon-check"

// asked is the name that servers are asked for.
func (c Check) asked() string {
	if rest, ok := strings.CutPrefix(c.Name, "*."); ok {
		return wildcardLabel + "." + rest
	}
	return c.Name
}

// Run makes the check. Whatever servers say, it ends, after maxQuestions
// questions and Time at the latest, or soon after ctx does.
func (c Check) Run(ctx context.Context, x Asker) *Facts {
	if c.Time == 0 {
		c.Time = usualTime
	}
	ctx, cancel := context.WithTimeout(ctx, c.Time)
	defer cancel()
	w := newWalker(x, c.Roots)
	w.limit = min(askLimit, c.Time/2)
	name := c.asked()
	var f *Facts
	if c.How == Walk || c.Last == nil || len(c.Last.Servers) == 0 {
		f = w.walk(ctx, name, c.Type)
		v, _ := Judge(f, c.Expected)
		if f.Why == "" && (v == Stale || v.Bad()) && w.forged(ctx, f.Servers, name, c.Type) {
			f.Why = forged
		}
	} else {
		f = w.again(ctx, c, name)
	}
	if f.Why != "" {
		w.resolve(ctx, f, name, c.Type)
	}
	f.Queries = maxQuestions - max(w.left, 0)
	return f
}

// walk goes from the root to the end of the chain of aliases.
func (w *walker) walk(ctx context.Context, name string, typ uint16) *Facts {
	f := &Facts{}
	for hop := 0; ; hop++ {
		z, servers, all := w.find(ctx, name, typ, purpose{})
		f.Servers = servers
		if z == nil {
			if w.rooted != NoName {
				f.Why = noRoots
				if w.rooted != Silent {
					f.Why = redirected
				}
			}
			return f
		}
		f.Zone = z.name
		if hop == 0 {
			f.Parent, f.Above = Delegation{z.name, z.servers}, w.above(ctx, z)
			f.Child = w.child(ctx, z, servers)
			w.unlisted(ctx, z, f, name, typ, &all)
		}
		w.moved(ctx, z, f.Servers, all, name, typ)
		if why := w.redirected(ctx, z, f.Servers, name, typ); why != "" {
			return &Facts{Why: why} // what else was found is made up
		}
		next := common(all)
		if next == "" || typ == dns.TypeCNAME {
			return f
		}
		switch {
		case slices.Contains(f.Chain, next) || next == name:
			f.Broken = "its aliases lead in a circle"
		case hop == maxChain:
			f.Broken = "its aliases lead on and on"
		case dns.CheckName(next) != nil:
			f.Broken = "its alias leads to what is no name"
		}
		f.Chain = append(f.Chain, next)
		if f.Broken != "" {
			f.Servers = nil
			return f
		}
		name = next
	}
}

// above says where the servers of a zone's parent are, as far as the walk has
// learned that.
func (w *walker) above(ctx context.Context, z *zone) Above {
	if z.above == nil {
		return Above{"", w.roots}
	}
	a := Above{Zone: z.above.name}
	for _, server := range z.above.servers {
		if w.glue[server] == nil {
			continue
		}
		for _, addr := range w.addresses(ctx, z.above, server, 0) {
			a.Addrs = append(a.Addrs, netip.AddrPortFrom(addr, 53))
		}
	}
	return a
}

// common is the name to which most servers lead; "": to none.
func common(all []reading) (next string) {
	most := 0
	for i := range all {
		n := 0
		for j := range all {
			if all[i].next != "" && all[i].next == all[j].next {
				n++
			}
		}
		if n > most {
			most, next = n, all[i].next
		}
	}
	return next
}

// child asks one server that answers for the zone's own set of servers.
func (w *walker) child(ctx context.Context, z *zone, servers []Server) []string {
	tries := 0
	for _, s := range servers {
		if s.Said != Values && s.Said != NoData && s.Said != NoName {
			continue
		}
		if tries++; tries > 2 {
			break
		}
		if r := w.ask(ctx, s.Addr, z.name, z.name, dns.TypeNS); r.said == Values && len(r.values) > 0 {
			return r.values[:min(len(r.values), maxServers)]
		}
	}
	return nil
}

// unlisted asks the servers that only the zone itself names: resolvers use them.
func (w *walker) unlisted(ctx context.Context, z *zone, f *Facts, name string, typ uint16, all *[]reading) {
	var unlisted []string
	for _, server := range f.Child {
		if !slices.Contains(z.servers, server) && len(f.Servers)+len(unlisted) < maxServers && dns.CheckName(server) == nil {
			unlisted = append(unlisted, server)
		}
	}
	servers, readings := w.together(ctx, z, unlisted, name, typ, 0)
	for i, s := range servers {
		if s.Said == NoAddress || s.Said == Silent {
			continue // the parent knows better
		}
		f.Servers = append(f.Servers, s)
		*all = append(*all, readings[i])
	}
}

// moved looks for servers that do not answer where the parent says they are:
// the zone may know a newer address.
func (w *walker) moved(ctx context.Context, z *zone, servers []Server, all []reading, name string, typ uint16) {
	if !answers(servers, Values) {
		return // nobody could say
	}
	for i := range servers {
		s := &servers[i]
		if s.Said != Silent || !slices.Contains(z.servers, s.Name) || len(z.glue[s.Name]) == 0 {
			continue
		}
		for _, addr := range w.lookUp(ctx, s.Name, purpose{host: true}) {
			if addr == s.Addr.Addr() || !w.mayAsk(addr) {
				continue
			}
			if again, r := w.askServer(ctx, z.name, s.Name, []netip.Addr{addr}, name, typ); again.Said != Silent {
				*s, all[i] = again, r
				break
			}
		}
	}
}

// again asks the servers that the last walk found.
func (w *walker) again(ctx context.Context, c Check, name string) *Facts {
	last := c.Last
	f := &Facts{Parent: last.Parent, Above: last.Above, Child: last.Child, Chain: last.Chain, Zone: last.Zone, Light: c.How == Light}
	servers := last.Servers
	if n := len(last.Chain); n > 0 {
		name = last.Chain[n-1]
	}
	delegated := make(chan bool, 1)
	delegated <- true
	if f.Light {
		servers = pick(servers, c.Turn)
		if n := len(last.Above.Addrs); n > 0 && !c.Alone {
			<-delegated
			go func() { delegated <- w.stillDelegated(ctx, last, last.Above.Addrs[c.Turn%n], c) }()
		}
	}
	f.Servers = make([]Server, len(servers))
	done := make(chan struct{}, len(servers))
	for i, s := range servers {
		f.Servers[i] = s
		go func() {
			defer func() { done <- struct{}{} }()
			if !s.Addr.IsValid() {
				return
			}
			r := w.ask(ctx, s.Addr, last.Zone, name, c.Type)
			f.Servers[i].Said, f.Servers[i].Values = r.said, r.values
		}()
	}
	for range servers {
		<-done
	}
	if !<-delegated {
		f.Servers = []Server{{Said: Silent}}
	}
	return f
}

// stillDelegated asks a server of the parent zone whether the delegation is
// what it was at the last walk.
func (w *walker) stillDelegated(ctx context.Context, last *Facts, parent netip.AddrPort, c Check) bool {
	name, typ := c.asked(), c.Type
	if last.Above.Zone == "" {
		name, typ = lastLabel(name), dns.TypeNS
	}
	r := w.ask(ctx, parent, last.Above.Zone, name, typ)
	return r.zone != nil && last.Parent.Equal(Delegation{r.zone.name, r.zone.servers})
}

// pick takes one server that answered.
func pick(servers []Server, turn int) []Server {
	n := len(servers)
	for i := range n {
		if k := (turn + i) % n; servers[k].Said == Values {
			return servers[k : k+1]
		}
	}
	return servers[:1]
}
