package publish

import (
	"net/netip"
	"strings"
)

// Addrs is what a record has, or is to have: one address, or those of all its
// sources. It is a value that can be compared; the zero one is none.
type Addrs struct {
	first netip.Addr // the lowest
	more  string     // the others in order, each with a blank before it
}

// addrsOf makes a set of a list, which is put in order. What is twice in it is
// there once.
func addrsOf(list []netip.Addr) (s Addrs) {
	for i := range list {
		for n := i; n > 0 && list[n].Less(list[n-1]); n-- {
			list[n], list[n-1] = list[n-1], list[n]
		}
	}
	for i, a := range list {
		switch {
		case i == 0:
			s.first = a
		case a != list[i-1]:
			s.more += " " + a.String()
		}
	}
	return s
}

// IsValid reports whether there is one.
func (s Addrs) IsValid() bool { return s.first.IsValid() }

// First is the lowest; zero: there is none.
func (s Addrs) First() netip.Addr { return s.first }

// All are the addresses, in order.
func (s Addrs) All() []netip.Addr {
	if !s.IsValid() {
		return nil
	}
	return append([]netip.Addr{s.first}, s.further()...)
}

// further are all but the first.
func (s Addrs) further() (list []netip.Addr) {
	if s.more == "" {
		return nil
	}
	for _, text := range strings.Fields(s.more) {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

// and is the addresses of both.
func (s Addrs) and(t Addrs) Addrs {
	if !t.IsValid() {
		return s
	}
	return addrsOf(append(s.All(), t.All()...))
}

func (s Addrs) has(a netip.Addr) bool {
	for _, one := range s.All() {
		if one == a {
			return true
		}
	}
	return false
}

// String is the addresses with blanks between them; "": there is none.
func (s Addrs) String() string {
	if !s.IsValid() {
		return ""
	}
	return s.first.String() + s.more
}
