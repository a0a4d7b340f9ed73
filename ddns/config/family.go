package config

import "net/netip"

// Family is an address family. Its values are the IP versions.
type Family uint8

// The two families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// String returns "ipv4" or "ipv6", the names in the configuration and the status.
func (f Family) String() string {
	switch f {
	case IPv4:
		return "ipv4"
	case IPv6:
		return "ipv6"
	}
	return "no family"
}

// FamilyOf returns the family of a; 0 if a is not valid. An IPv4 address
// mapped into IPv6 is IPv4.
func FamilyOf(a netip.Addr) Family {
	switch {
	case !a.IsValid():
		return 0
	case a.Unmap().Is4():
		return IPv4
	}
	return IPv6
}
