package address

import (
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// pick chooses among the addresses of a link; note says why there is none.
func (s *source) pick(snap *netwatch.Snapshot, link netwatch.Link, down string, f config.Family, list *[]Candidate) (netip.Addr, string) {
	var (
		best, current *netwatch.Addr
		bestRank      = refused
		curRank       = refused
		why           = remark{link: link.Name}
		all, now      = snap.Addrs, snap.At
		taken, isIPv4 = s.taken[index(f)], f == config.IPv4
	)
	for i := firstOn(all, link.Index); i < len(all) && all[i].Link == link.Index; i++ {
		addr := &all[i]
		if addr.Addr.Is4() != isIPv4 {
			continue
		}
		rank, reason := judge(addr, s.AllowPrivate, s.Temporary, now)
		if rank == refused {
			why.addr, why.what = addr.Addr, reason
			continue
		}
		if addr.Addr == taken {
			current, curRank = addr, rank
		}
		if rank < bestRank || rank == bestRank && better(addr, best, s.Temporary) {
			best, bestRank = addr, rank
		}
	}
	if curRank < refused && curRank == bestRank && asGood(current, best, now) &&
		!(s.Temporary && isTemporary(best) && !isTemporary(current)) {
		best = current
	}
	if list != nil {
		s.explain(snap, link, down, f, best, bestRank, list)
	}
	if best != nil {
		return best.Addr, ""
	}
	return netip.Addr{}, s.remark[index(f)].inWords(why, f, s.Method == "interface")
}

// firstOn is where the addresses of a link begin.
func firstOn(addrs []netwatch.Addr, link int) int {
	low, high := 0, len(addrs)
	for low < high { // without a function for each comparison
		if mid := (low + high) / 2; addrs[mid].Link < link {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// remark is why there is no address: the last one that was refused and what it
// is, or none on the link. It is put into words when it changes, not at each event.
type remark struct {
	addr       netip.Addr
	what, link string
	text       string
}

// inWords is the remark as text, that of before if nothing is new. alone: the
// source looks nowhere else, so that the user may want to know of
// other ways.
func (r *remark) inWords(now remark, f config.Family, alone bool) string {
	if r.text != "" && r.addr == now.addr && r.what == now.what && r.link == now.link {
		return r.text
	}
	*r = now
	if now.what != "" {
		r.text = now.addr.String() + " is " + now.what
		if strict, _ := scopeOf(now.addr, false); alone && strict == refused {
			if lax, _ := scopeOf(now.addr, true); lax != refused {
				r.text += `; method = "auto" asks further, allow_private = true publishes it`
			}
		}
	} else {
		r.text = "no " + f.String() + " address on " + now.link
	}
	return r.text
}

// better orders addresses of equal rank: primary before secondary (IPv4),
// temporary first if that is wanted (IPv6), longest preferred lifetime, lowest
// address.
func better(a, b *netwatch.Addr, temporary bool) bool {
	if temporary && isTemporary(a) != isTemporary(b) {
		return isTemporary(a)
	}
	if a.Addr.Is4() {
		if s, t := a.Flags&netwatch.Secondary != 0, b.Flags&netwatch.Secondary != 0; s != t {
			return t
		}
	}
	if !a.PreferredUntil.Equal(b.PreferredUntil) {
		forever := a.PreferredUntil.IsZero()
		return forever || !b.PreferredUntil.IsZero() && a.PreferredUntil.After(b.PreferredUntil)
	}
	return a.Addr.Less(b.Addr)
}

// asGood says whether the address taken before may stay: it lasts forever, or
// at least half as long as the best. Half, because two prefixes that are both
// advertised are refreshed at different moments, and the choice must not
// follow each refresh.
func asGood(current, best *netwatch.Addr, now time.Time) bool {
	if current.PreferredUntil.IsZero() {
		return true
	}
	if best.PreferredUntil.IsZero() {
		return false
	}
	return 2*current.PreferredUntil.Sub(now) >= best.PreferredUntil.Sub(now)
}
