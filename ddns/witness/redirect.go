package witness

import (
	"context"
	"math/rand/v2"
	"net/netip"
)

// Why the authoritative servers could not be asked.
const (
	noRoots    = "outgoing DNS is blocked: no root server answers"
	redirected = "outgoing DNS is redirected: what answers in place of the name servers has no authority"
	everywhere = "outgoing DNS is redirected: something answers even where no name server is"
	forged     = "answers about the name are forged on the way: they come even from where no name server is"
)

// Silent reports whether nobody has answered: from the root on there is no way,
// whatever a resolver says.
func (f *Facts) Silent() bool { return f.Why == noRoots }

// redirected says so if something on the way answers for servers that it is
// not; "" if not. It shows by claiming no authority, all of them, or by one that
// a root server has not, that of a top-level domain; and a server that does not
// exist answers, too.
func (w *walker) redirected(ctx context.Context, z *zone, servers []Server, name string, typ uint16) (why string) {
	for _, s := range servers {
		if s.Said == Lame {
			why = redirected
		} else if s.Said != NoAddress && s.Said != Silent {
			why = ""
			break
		}
	}
	for ; z != nil; z = z.above {
		if z.claimed {
			why = everywhere
		}
	}
	if why != "" && !w.anybody(ctx, servers, name, typ) {
		why = ""
	}
	return why
}

// forged reports whether a server that does not exist answers a question, too,
// which some servers have answered.
func (w *walker) forged(ctx context.Context, servers []Server, name string, typ uint16) bool {
	for _, s := range servers {
		if s.Said != NoAddress && s.Said != Silent && s.Said != Unasked {
			return w.anybody(ctx, servers, name, typ)
		}
	}
	return false
}

// anybody asks a server that does not exist, by IPv6 where the others are asked
// by that alone.
func (w *walker) anybody(ctx context.Context, servers []Server, name string, typ uint16) bool {
	four, six := false, false
	for _, s := range servers {
		four, six = four || s.Addr.Addr().Is4(), six || s.Addr.Addr().Is6()
	}
	r := w.askFor(ctx, w.limit/2, nobody(six && !four), "", name, typ)
	return r.said != Silent && r.said != Unasked
}

// nobody is an address for documentation (RFC 5737, RFC 3849), where no server
// is; it is another each time, lest there be one all the same.
func nobody(six bool) netip.AddrPort {
	last := byte(1 + rand.IntN(254))
	addr := netip.AddrFrom4([4]byte{192, 0, 2, last})
	if six {
		addr = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: last})
	}
	return netip.AddrPortFrom(addr, 53)
}
