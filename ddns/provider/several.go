package provider

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// CanSeveral reports whether an update may have several addresses of a family.
func (p *Provider) CanSeveral() bool { return p.def.CanSeveral() }

// CanSeveral reports whether a name can have several addresses of ours: the
// protocol writes whole sets of them, or a record for each.
func (d *Definition) CanSeveral() bool {
	return d.Family == "rfc2136" || d.Record.Further != "" || d.Record.Several
}

// all are the addresses of an update, the first one first.
func (u *Update) all() []netip.Addr { return append([]netip.Addr{u.Addr}, u.More...) }

// fits says why an update cannot be sent; nil: it can.
func (d *Definition) fits(u *Update) error {
	for i := -1; i < len(u.More); i++ {
		a := u.Addr
		if i >= 0 {
			a = u.More[i]
		}
		if !a.IsValid() || config.FamilyOf(a) != u.Family {
			return errEmptyAddress
		}
	}
	if len(u.More) > 0 && !d.CanSeveral() {
		return fmt.Errorf("%s cannot have several addresses at one name", d.Title)
	}
	return nil
}

// furtherOf are the addresses of a family after the first.
func furtherOf(updates []Update, f config.Family) []netip.Addr {
	for i := range updates {
		if updates[i].Family == f {
			return updates[i].More
		}
	}
	return nil
}

// further is what a request has for addresses after the first.
func (d *Definition) further(addrs []netip.Addr, value func(key string) string) string {
	var b strings.Builder
	for _, a := range addrs {
		b.WriteString(d.forms.further.expand(func(key string) string {
			if key == "other" {
				return addrText(a)
			}
			return value(key)
		}, escapeNone))
	}
	return b.String()
}

// further compiles record.further, and says what record.several needs.
func (c *compiler) further(f *forms) {
	if c.def.Record.Several {
		lists := false
		for i := range c.def.Steps {
			lists = lists || c.def.Steps[i].Records.Address != ""
		}
		if !lists || !c.def.CanRemove() || !c.def.Record.Creates || c.def.Record.Further != "" {
			c.problem("record.several", "needs a step with records.address, one with action = \"remove\", and record.creates; and no record.further")
		}
	}
	c.picks["other"] = true
	f.further = c.template("record.further", c.def.Record.Further)
	delete(c.picks, "other")
	if !f.further.empty() && (!f.further.uses("other") || f.further.uses("further", "further_ipv4", "further_ipv6", "mine")) {
		c.problem("record.further", "{other} must be in it, and no {further}")
	}
}

// listed are addresses with blanks between them.
func listed(addrs []netip.Addr) string {
	var b strings.Builder
	for _, a := range addrs {
		b.WriteString(" " + addrText(a))
	}
	return b.String()[min(1, b.Len()):]
}

// among reports whether an address, as a text, is one of those.
func among(text string, addrs []netip.Addr) bool { return indexOf(text, addrs) >= 0 }

// indexOf says which of those an address, as a text, is; -1: none.
func indexOf(text string, addrs []netip.Addr) int {
	for i, a := range addrs {
		if sameContent(text, addrText(a)) {
			return i
		}
	}
	return -1
}

// addrsOf reads what listed wrote. What is no address is left out.
func addrsOf(text string) (addrs []netip.Addr) {
	for _, one := range strings.Fields(text) {
		if a, err := netip.ParseAddr(one); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs
}
