package witness

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

// Asker is the way to the world. Ask sends one question to one server, without recursion, and returns its
// answer, in which the question is the one that was asked. It takes the time that ctx has for it.
type Asker interface {
	Ask(ctx context.Context, server netip.AddrPort, name string, typ uint16) (*dns.Message, error)

	// Resolve asks a resolver, with recursion, and says which one.
	Resolve(ctx context.Context, name string, typ uint16) (m *dns.Message, who string, err error)
}

// What a walk may spend, whatever servers say.
const (
	maxQuestions = 80
	maxChain     = 8 // names that CNAMEs lead to
	maxNested    = 3 // walks for addresses of servers, one for the sake of another
	maxTries     = 4 // servers of a zone on the way
)

// walker finds what authoritative servers say.
type walker struct {
	Asker
	roots []netip.AddrPort
	inner bool          // servers may have addresses that are not on the internet
	limit time.Duration // for one question to one server

	mu      sync.Mutex
	left    int // questions
	zones   map[string]*zone
	glue    map[string][]netip.Addr
	finding map[string]bool // servers whose addresses are looked for
	dead    map[string]bool // servers that did not answer a question for an address
	rooted  Reply           // what the roots said last
}

func newWalker(x Asker, roots []netip.AddrPort) *walker {
	w := &walker{Asker: x, roots: roots, inner: len(roots) > 0, left: maxQuestions,
		zones: map[string]*zone{}, glue: map[string][]netip.Addr{}, finding: map[string]bool{}, dead: map[string]bool{}}
	if !w.inner {
		w.roots = rootServers()
	}
	return w
}

// ask asks one server if a question is left.
func (w *walker) ask(ctx context.Context, server netip.AddrPort, from, name string, typ uint16) reading {
	return w.askFor(ctx, w.limit, server, from, name, typ)
}

// askFor asks one server, and waits no longer than limit.
func (w *walker) askFor(ctx context.Context, limit time.Duration, server netip.AddrPort, from, name string, typ uint16) reading {
	w.mu.Lock()
	w.left--
	none := w.left < 0
	w.mu.Unlock()
	if none {
		return reading{said: Unasked}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m, err := w.Ask(ctx, server, name, typ)
	if err != nil {
		return reading{said: Silent, noPath: socket.NoPath(err)}
	}
	if m.Flags&dns.FlagTruncated != 0 && len(m.Records) == 0 {
		return reading{said: Garbage}
	}
	r := read(m, from, name, typ)
	r.recursive = m.Flags&dns.FlagRecursionAvailable != 0
	if from == "" && r.recursive { // no root server is: somebody else answers
		return reading{said: Lame, recursive: true}
	}
	return r
}

func (w *walker) spent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left <= 0
}

// purpose is why a walk looks for a name.
type purpose struct {
	depth int  // of walks for the sake of another
	host  bool // for the address of a server: the first answer will do
	glue  bool // even that of a server's parent
}

// find goes down from the nearest zone known to the one that answers for a
// name; nil: the root. servers: what each of the zone's servers says.
func (w *walker) find(ctx context.Context, name string, typ uint16, p purpose) (z *zone, servers []Server, all []reading) {
	z = w.nearest(name)
	for {
		var down *zone
		switch {
		case z == nil:
			down, servers, all = w.fromRoot(ctx, name)
		case p.host || !strings.Contains(z.name, "."):
			down, servers, all = w.onTheWay(ctx, z, name, typ, p.depth)
			if !p.host && down == nil && (answers(servers, Values) || answers(servers, NoData)) {
				down, servers, all = w.each(ctx, z, name, typ, p.depth)
			}
		default:
			down, servers, all = w.each(ctx, z, name, typ, p.depth)
		}
		if down == nil {
			return z, servers, all
		}
		down.above = z
		z = down
		w.zones[z.name] = z
		for server, addrs := range z.glue {
			if len(addrs) > 0 {
				w.glue[server] = addrs
			}
		}
		if p.glue && len(w.glue[name]) > 0 {
			return z, nil, nil
		}
	}
}

// answers reports whether any server says so.
func answers(servers []Server, said Reply) bool {
	for i := range servers {
		if servers[i].Said == said {
			return true
		}
	}
	return false
}

// nearest is the lowest zone that the walk has passed above or at a name; nil:
// the root.
func (w *walker) nearest(name string) *zone {
	for ; name != ""; name = parentOf(name) {
		if z := w.zones[name]; z != nil {
			return z
		}
	}
	return nil
}

// fromRoot asks the root servers, in random order, who has the top-level
// domain: they need not know more.
func (w *walker) fromRoot(ctx context.Context, name string) (down *zone, servers []Server, all []reading) {
	order := rand.Perm(len(w.roots))
	down, servers, all = w.race(ctx, len(order), func(ctx context.Context, i int) (Server, reading) {
		r := w.ask(ctx, w.roots[order[i]], "", lastLabel(name), dns.TypeNS)
		return Server{Name: "root server", Addr: w.roots[order[i]], Said: r.said}, r
	}, nil)
	w.rooted = Silent
	if down != nil {
		w.rooted = Values
	}
	for i := range all {
		if all[i].said != Silent {
			w.rooted = all[i].said
		}
	}
	return down, servers, all
}

// onTheWay asks the servers of a zone until one leads on.
func (w *walker) onTheWay(ctx context.Context, z *zone, name string, typ uint16, depth int) (down *zone, servers []Server, all []reading) {
	var alive, others []string // others have to be looked for
	for _, i := range rand.Perm(len(z.servers)) {
		switch server := z.servers[i]; {
		case depth > 0 && w.dead[server]:
		case len(w.glue[server]) > 0:
			alive = append(alive, server)
		default:
			others = append(others, server)
		}
	}
	known := len(alive)
	alive = append(alive, others...)
	addrs := make([][]netip.Addr, len(alive))
	down, servers, all = w.race(ctx, len(alive), func(ctx context.Context, i int) (Server, reading) {
		return w.askServer(ctx, z.name, alive[i], addrs[i], name, typ)
	}, func(i, running int) bool {
		if i >= known && running > 0 {
			return false
		}
		addrs[i] = w.addresses(ctx, z, alive[i], depth)
		return true
	})
	for i := range servers {
		w.dead[servers[i].Name] = all[i].zone == nil && all[i].said == Silent
	}
	return down, servers, all
}

// race asks one server of n after the other, maxTries at most that there is a
// way to: the next one when one has failed, or is late. It ends when one leads
// on, or knows that nothing does; else it gives what all have said. may, unless
// it is nil, prepares the asking of one, or says that it should wait until none
// is running.
func (w *walker) race(ctx context.Context, n int, ask func(context.Context, int) (Server, reading), may func(i, running int) bool) (down *zone, servers []Server, all []reading) {
	type said struct {
		Server
		reading
	}
	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan said, n)
	next, running, tries := 0, 0, maxTries
	defer func() {
		cancel()
		for ; running > 0; running-- {
			<-answers
		}
	}()
	late := time.NewTimer(0)
	defer late.Stop()
	for {
		select {
		case a := <-answers:
			running--
			if a.zone != nil {
				return a.zone, nil, nil
			}
			servers, all = append(servers, a.Server), append(all, a.reading)
			if s := a.reading.said; s == Values || s == NoName || s == NoData {
				return nil, servers, all
			}
			if a.noPath {
				tries++
			}
		case <-late.C:
		}
		if next < min(n, tries) && ctx.Err() == nil && (may == nil || may(next, running)) {
			i := next
			next++
			running++
			go func() {
				s, r := ask(ctx, i)
				answers <- said{s, r}
			}()
		}
		if running == 0 {
			return nil, servers, all
		}
		late.Reset(w.limit / 10)
	}
}

// each asks all servers of a zone at the same time. When any of them leads on,
// so does the walk.
func (w *walker) each(ctx context.Context, z *zone, name string, typ uint16, depth int) (down *zone, servers []Server, all []reading) {
	servers, all = w.together(ctx, z, z.servers, name, typ, depth)
	for i := range all {
		if all[i].zone != nil {
			return all[i].zone, nil, nil
		}
	}
	return nil, servers, all
}

// together asks some servers of a zone at the same time.
func (w *walker) together(ctx context.Context, z *zone, names []string, name string, typ uint16, depth int) (servers []Server, all []reading) {
	servers = make([]Server, len(names))
	all = make([]reading, len(names))
	addrs := make([][]netip.Addr, len(names))
	for i, server := range names {
		addrs[i] = w.addresses(ctx, z, server, depth)
	}
	var wait sync.WaitGroup
	for i, server := range names {
		wait.Go(func() {
			servers[i], all[i] = w.askServer(ctx, z.name, server, addrs[i], name, typ)
		})
	}
	wait.Wait()
	return servers, all
}

// askServer asks a server at its first address, and at one of the other family
// when that says nothing; for both there is as much time as for one.
func (w *walker) askServer(ctx context.Context, from, server string, addrs []netip.Addr, name string, typ uint16) (Server, reading) {
	s, r := Server{Name: server, Said: NoAddress}, reading{said: NoAddress}
	limit := w.limit
	if n := len(addrs); n > 0 && addrs[0].Is4() != addrs[n-1].Is4() {
		limit /= 2
	}
	for i, a := range addrs {
		if i > 0 && (s.Said != Silent || a.Is4() == s.Addr.Addr().Is4()) {
			continue
		}
		s.Addr = netip.AddrPortFrom(a, 53)
		r = w.askFor(ctx, limit, s.Addr, from, name, typ)
		s.Said, s.Values = r.said, r.values
	}
	return s, r
}

// addresses are those of a server: as the parent has them, or looked up by a
// walk of its own.
func (w *walker) addresses(ctx context.Context, z *zone, server string, depth int) []netip.Addr {
	addrs, known := w.glue[server]
	if !known && depth < maxNested && !w.finding[server] && !w.spent() && ctx.Err() == nil {
		w.finding[server] = true
		addrs = w.lookUp(ctx, server, purpose{depth + 1, true, true})
		delete(w.finding, server)
		w.glue[server] = addrs
	}
	var usable []netip.Addr
	for _, four := range []bool{true, false} {
		for _, a := range addrs {
			if a.Is4() == four && w.mayAsk(a) {
				usable = append(usable, a)
			}
		}
	}
	return usable
}

// lookUp asks for the addresses of a server: IPv4, and IPv6 if it has none.
func (w *walker) lookUp(ctx context.Context, server string, p purpose) (addrs []netip.Addr) {
	for _, typ := range []uint16{dns.TypeA, dns.TypeAAAA} {
		_, _, all := w.find(ctx, server, typ, p)
		if p.glue && len(w.glue[server]) > 0 {
			return w.glue[server]
		}
		for _, r := range all {
			for _, v := range r.values {
				if a, err := netip.ParseAddr(v); err == nil && len(addrs) < maxGlue && !slices.Contains(addrs, a) {
					addrs = append(addrs, a)
				}
			}
		}
		if len(addrs) > 0 {
			break
		}
	}
	return addrs
}

// mayAsk keeps a hostile server from having hosts of the user's own network
// asked, unless the user's own root servers say so.
func (w *walker) mayAsk(a netip.Addr) bool {
	if a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return false
	}
	return w.inner || !a.IsLoopback() && !a.IsPrivate() && !a.IsLinkLocalUnicast() && !a.Is4In6()
}
