package config

import (
	"net/netip"
	"strings"
)

var methods = []string{"auto", "interface", "upstream", "echo", "host", "static", "command"}

// sources reads the tables [source.NAME] and adds "wan" if it is not there.
func (t *table) sources() []Source {
	var list []Source
	haveWAN := false
	for _, t := range t.named("source") {
		list = append(list, t.source())
		haveWAN = haveWAN || list[len(list)-1].Name == "wan"
	}
	if !haveWAN {
		list = append([]Source{{Name: "wan", Method: "auto", Interface: "auto"}}, list...)
	}
	return list
}

// namedTable is a table [kind.NAME].
type namedTable struct {
	table
	name string
}

// named returns the tables [kind.NAME] in the order of the file.
func (t *table) named(kind string) []*namedTable {
	if _, several := t.values[kind].([]map[string]any); several {
		t.has(kind)
		t.fail(t.at(kind), "a %s has its name in the header, between single brackets: [%s.NAME]", kind, kind)
		return nil
	}
	parent := t.subtable(kind)
	if parent == nil {
		return nil
	}
	var list []*namedTable
	for _, name := range parent.keys() {
		values, ok := parent.values[name].(map[string]any)
		at := parent.at(name)
		switch {
		case !ok:
			t.fail(at, "a %s has a name: write the header [%s.NAME] above %s", kind, kind, quote(name))
			continue
		case at != kind+"."+name:
			t.fail(at, "the name %s may only have letters, digits, - and _", quote(name))
			continue
		}
		list = append(list, &namedTable{table{reader: t.reader, path: at, values: values}, name})
	}
	return list
}

func (t *namedTable) source() Source {
	s := Source{Name: t.name, Method: "auto"}
	t.choice("method", &s.Method, methods...)
	t.sourceDevice(&s)
	t.flag("allow_private", &s.AllowPrivate)

	// Keys that only one method has.
	suffix := t.address("suffix", &s.Suffix, IPv6)
	mac := t.mac("mac", &s.MAC)
	t.address("ipv4", &s.IPv4, IPv4)
	t.address("ipv6", &s.IPv6, IPv6)
	t.argv("command", &s.Command)
	for key, method := range map[string]string{"suffix": "host", "mac": "host", "ipv4": "static", "ipv6": "static", "command": "command"} {
		if _, there := t.values[key]; there && s.Method != method {
			t.fail(t.at(key), "%s belongs to method = \"%s\", and this source has \"%s\"", quote(key), method, s.Method)
		}
	}

	has := func(key string) bool { _, ok := t.values[key]; return ok }
	switch s.Method {
	case "host":
		switch {
		case has("suffix") && has("mac"):
			t.fail(t.at("mac"), "`suffix` and `mac` are two ways to name one host; keep one of them")
		case !has("suffix") && !has("mac"):
			t.fail(t.path, "method = \"host\" needs `suffix`, such as \"::1234:5678:9abc:def0\", or `mac`, such as \"00:11:22:33:44:55\"")
		case suffix && !lowHalf(s.Suffix):
			t.fail(t.at("suffix"), "`suffix` is the last 64 bits of the host's address, such as \"::1234:5678:9abc:def0\"")
		}
		_ = mac
		if !has("interface") && !has("network") {
			t.fail(t.path, "method = \"host\" needs `interface`, the device where the host's prefix is found, such as \"br-lan\"")
		} else if s.Interface == "auto" {
			t.fail(t.at("interface"), "method = \"host\" needs the device where the host's prefix is found, such as \"br-lan\", not \"auto\"")
		}
	case "static":
		if !has("ipv4") && !has("ipv6") {
			t.fail(t.path, "method = \"static\" needs `ipv4` or `ipv6`, such as ipv4 = \"203.0.113.5\"")
		}
	case "command":
		if !has("command") {
			t.fail(t.path, "method = \"command\" needs `command`, such as command = [\"/usr/bin/my-address\", \"-4\"]")
		}
	}
	t.unknown()
	return s
}

// sourceDevice reads interface and network, of which there is one at most.
func (t *namedTable) sourceDevice(s *Source) {
	_, hasInterface := t.values["interface"]
	_, hasNetwork := t.values["network"]
	if t.device("interface", &s.Interface) && s.Interface == "" {
		t.fail(t.at("interface"), "`interface` is empty; write a device, such as \"eth1\", or \"auto\"")
	}
	if t.text("network", &s.Network) && (s.Network == "" || strings.ContainsAny(s.Network, " \t/.")) {
		t.fail(t.at("network"), "`network` must be the name of an OpenWrt network, such as \"wan\"")
	}
	none := s.Method == "static" || s.Method == "command"
	for _, key := range []string{"interface", "network"} {
		if _, there := t.values[key]; there && none {
			t.fail(t.at(key), "%s has no meaning with method = \"%s\"; to send through one device, set `bind` in the provider's table", quote(key), s.Method)
		}
	}
	switch {
	case hasInterface && hasNetwork:
		t.fail(t.at("network"), "`interface` and `network` are two ways to name one thing; keep one of them")
	case !hasInterface && !hasNetwork && !none:
		s.Interface = "auto"
	}
}

// address reads an address of one family.
func (t *table) address(key string, to *netip.Addr, family Family) bool {
	var s string
	if !t.text(key, &s) {
		return false
	}
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		hint := ""
		if strings.Contains(s, "/") {
			hint = ", without the / and the prefix length"
		}
		t.fail(t.at(key), "%s: %s is not an %s address%s", quote(key), quote(s), family, hint)
	case a.Zone() != "":
		t.fail(t.at(key), "%s: %s has a device in it; write the address alone", quote(key), quote(s))
	case family == IPv4 && !a.Is4(), family == IPv6 && (!a.Is6() || a.Is4In6()):
		t.fail(t.at(key), "%s: %s is not an %s address", quote(key), quote(s), family)
	case a.IsUnspecified(), a.IsMulticast():
		t.fail(t.at(key), "%s: %s is not the address of a host", quote(key), quote(s))
	default:
		*to = a
		return true
	}
	return false
}

// lowHalf reports whether only the last 64 bits of a are set.
func lowHalf(a netip.Addr) bool {
	b := a.As16()
	return [8]byte(b[:8]) == [8]byte{}
}

// mac reads a 48-bit hardware address, with ":" or "-".
func (t *table) mac(key string, to *string) bool {
	var s string
	if !t.text(key, &s) {
		return false
	}
	m := strings.ToLower(strings.ReplaceAll(s, "-", ":"))
	ok := len(m) == 17 && m != "00:00:00:00:00:00"
	for i := 0; ok && i < len(m); i++ {
		if i%3 == 2 {
			ok = m[i] == ':'
		} else {
			ok = strings.IndexByte("0123456789abcdef", m[i]) >= 0
		}
	}
	// The lowest bit of the first byte marks a group (IEEE 802).
	if !ok || strings.IndexByte("13579bdf", m[1]) >= 0 {
		t.fail(t.at(key), "%s: %s is not a host's hardware address, such as \"00:11:22:33:44:55\"", quote(key), quote(s))
		return false
	}
	*to = m
	return true
}
