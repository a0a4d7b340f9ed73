package witness

import (
	"context"
	"net/netip"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// nonsense is a name that cannot exist (RFC 6761 section 6.4).
const nonsense = wildcardLabel + ".invalid"

// resolve asks a resolver, where the authoritative servers cannot be asked.
func (w *walker) resolve(ctx context.Context, f *Facts, name string, typ uint16) {
	f.Chain, f.Broken, f.Servers = nil, "", nil
	w.left--
	m, who, err := w.Resolve(ctx, name, typ)
	f.Resolver = who
	s := Server{Name: who, Said: Silent}
	if err == nil {
		r := reading{}
		r.follow(m, "", name, typ)
		f.Chain, s.Values = r.chain, r.values
		switch code := m.RCode(); {
		case code == dns.NXDomain:
			s.Said = NoName
		case code == dns.Refused:
			s.Said = Refused
		case code != 0:
			s.Said = ServFail
			// Is it the name, or the resolver?
			w.left--
			if m, _, err := w.Resolve(ctx, lastLabel(name), dns.TypeNS); err != nil || m.RCode() != 0 {
				s.Said = Silent
			}
		case len(r.values) == 0:
			s.Said = NoData
		default:
			s.Said = Values
			// Does it give an address to any name?
			w.left--
			if m, _, err := w.Resolve(ctx, nonsense, typ); err == nil {
				var r reading
				if r.follow(m, "", nonsense, typ); len(r.values) > 0 {
					s.Said = Garbage
				}
			}
		}
	}
	s.Addr, _ = netip.ParseAddrPort(who)
	f.Servers = []Server{s}
}
