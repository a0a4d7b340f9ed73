package publish

import (
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// partnerWait is for providers that delete the family which a request does not
// name. At the start one family may be there a moment before the other; if it
// were sent alone, what the provider still has of the other would be gone. So
// the first request waits this long for it, and is then made without. What was
// published once is known, and goes along from then on.
const partnerWait = time.Minute

// sibling is the address of the record's other family, for providers that
// need both in each request.
func (c *Core) sibling(e *entry) netip.Addr {
	s := c.otherFamily(e)
	switch {
	case s == nil:
		return netip.Addr{}
	case s.wanted.IsValid():
		return s.wanted.first
	}
	return s.published.first
}

// lonely says whether the record has another family, of which no address is
// known. What a provider has of it would be deleted with ours.
func (c *Core) lonely(e *entry) bool {
	return c.otherFamily(e) != nil && !c.sibling(e).IsValid()
}

// otherFamily is the record's entry of the other family; nil: it has none.
func (c *Core) otherFamily(e *entry) *entry {
	s := c.find(Key{e.Hostname, e.Provider, config.IPv4 + config.IPv6 - e.Family})
	if s == nil || !s.Enabled {
		return nil
	}
	return s
}
