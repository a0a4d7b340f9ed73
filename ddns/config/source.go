package config

import (
	"net/netip"
	"strings"
)

var methods = []string{"auto", "interface", "upstream", "echo", "host", "static", "command"}

// sources reads the tables [source.NAME] and adds "wan" if it is not there.
func (t *table) sources() (list []Source, haveWAN bool) {
	for _, t := range t.named("source") {
		list = append(list, t.source())
		haveWAN = haveWAN || list[len(list)-1].Name == "wan"
	}
	if !haveWAN {
		list = append([]Source{{Name: "wan", Method: "auto", Interface: "auto"}}, list...)
	}
	return list, haveWAN
}

// restrain keeps the source "wan" that is there by default from asking anybody
// beyond this router, which "auto" does, while all records have other sources.
func (c *Config) restrain() {
	for _, r := range c.Records {
		if r.Source == "wan" || contains(r.Fallbacks, "wan") {
			return
		}
	}
	c.Sources[0].Method = "interface"
}

// namedTable is a table [kind.NAME].
type namedTable struct {
	table
	name string
}

// named returns the tables [kind.NAME] in the order of the file.
func (t *table) named(kind string) []*namedTable {
	if !t.has(kind) {
		return nil
	}
	values, ok := t.values[kind].(map[string]any)
	if !ok {
		t.fail(t.at(kind), "a %s has its name in the header, between single brackets: [%s.NAME]", kind, kind)
		return nil
	}
	parent := &table{reader: t.reader, path: t.at(kind), values: values}
	var list []*namedTable
	for _, name := range parent.keys() {
		values, ok := parent.values[name].(map[string]any)
		at := parent.at(name)
		switch {
		case !ok && isList(parent.values[name]):
			t.fail(at, "write this header with single brackets: [%s]", printable(at))
		case !ok:
			t.fail(at, "a %s has a name: write the header [%s.NAME] above %s", kind, kind, quote(name))
		case at != kind+"."+name:
			t.fail(at, "the name %s may only have letters, digits, - and _", quote(name))
		default:
			list = append(list, &namedTable{table{reader: t.reader, path: at, values: values}, name})
		}
	}
	return list
}

// isList reports whether v is a list, of tables or not.
func isList(v any) bool {
	switch v.(type) {
	case []any, []map[string]any:
		return true
	}
	return false
}

// ofMethod says which method a key belongs to.
var ofMethod = []struct{ key, method string }{
	{"suffix", "host"}, {"mac", "host"}, {"ipv4", "static"}, {"ipv6", "static"}, {"command", "command"},
	{"url", "echo"}, {"pattern", "echo"}, {"insecure_http", "echo"},
}

func (t *namedTable) source() Source {
	s := Source{Name: t.name, Method: "auto"}
	methodOK := t.choice("method", &s.Method, methods...) || !t.there("method")
	t.flag("allow_private", &s.AllowPrivate)
	t.flag("prefer_temporary", &s.Temporary)
	suffix := t.address("suffix", &s.Suffix, IPv6)
	t.mac("mac", &s.MAC)
	t.address("ipv4", &s.IPv4, IPv4)
	t.address("ipv6", &s.IPv6, IPv6)
	t.argv("command", &s.Command)
	t.echoURL(&s)
	t.sourceDevice(&s)
	t.unknown()
	if !methodOK {
		return s // what the other keys should be hangs on it
	}

	for _, k := range ofMethod {
		if t.there(k.key) && s.Method != k.method {
			t.fail(t.at(k.key), "%s belongs to method = \"%s\", and this source has \"%s\"", quote(k.key), k.method, s.Method)
		}
	}
	switch s.Method {
	case "host":
		t.hostSource(s, suffix)
	case "static":
		if !t.there("ipv4") && !t.there("ipv6") {
			t.fail(t.path, "method = \"static\" needs `ipv4` or `ipv6`, such as ipv4 = \"203.0.113.5\"")
		}
	case "command":
		t.missing("command", "command = [\"/usr/bin/my-address\", \"-4\"]")
	}
	return s
}

// echoURL reads the user's own echo service.
func (t *namedTable) echoURL(s *Source) {
	insecure := false
	t.flag("insecure_http", &insecure)
	if t.text("url", &s.URL) {
		switch {
		case !isWebURL(s.URL):
			t.fail(t.at("url"), "`url` must be a web page that answers with one's address, such as https://ip.example.net/")
		case !insecure && !strings.HasPrefix(strings.ToLower(s.URL), "https:"):
			t.fail(t.at("url"), "anybody on the way can change what `url` answers by plain http: use https, or allow it with insecure_http = true")
		}
	}
	if t.text("pattern", &s.Pattern) && strings.Count(s.Pattern, "{address}") != 1 {
		t.fail(t.at("pattern"), "`pattern` must have {address} once, in the place where the answer has the address, such as \"Your address: {address}\"")
	}
	if t.there("pattern") && !t.there("url") {
		t.fail(t.at("pattern"), "`pattern` belongs to `url`")
	}
}

// hostSource checks what only method = "host" needs.
func (t *namedTable) hostSource(s Source, suffixRead bool) {
	switch {
	case t.there("suffix") && t.there("mac"):
		t.fail(t.at("mac"), "`suffix` and `mac` are two ways to name one host; keep one of them")
	case !t.there("suffix") && !t.there("mac"):
		t.fail(t.path, "method = \"host\" needs `suffix`, such as \"::1234:5678:9abc:def0\", or `mac`, such as \"00:11:22:33:44:55\"")
	case suffixRead && !isSuffix(s.Suffix):
		t.fail(t.at("suffix"), "`suffix` is the last 64 bits of the host's address, such as \"::1234:5678:9abc:def0\", or up to 80, such as \"::3:0:0:0:7\"")
	}
	if s.Interface == "auto" {
		t.fail(t.at("interface"), "method = \"host\" needs `interface`, the device where the host's prefix is found, such as \"br-lan\"")
	}
}

// sourceDevice reads interface and network, of which there is one at most.
// Methods that look at no device have none.
func (t *namedTable) sourceDevice(s *Source) {
	if t.device("interface", &s.Interface) && s.Interface == "" {
		t.fail(t.at("interface"), "`interface` is empty; write a device, such as \"eth1\", or \"auto\"")
	}
	if t.text("network", &s.Network) && (s.Network == "" || strings.ContainsAny(s.Network, " \t/.")) {
		t.fail(t.at("network"), "`network` must be the name of an OpenWrt network, such as \"wan\"")
	}
	none := s.Method == "static" || s.Method == "command"
	if !none && !t.there("interface") && !t.there("network") {
		s.Interface = "auto"
	}
	if t.there("interface") && t.there("network") {
		t.fail(t.at("network"), "`interface` and `network` are two ways to name one thing; keep one of them")
	}
	if t.there("prefer_temporary") && (none || s.Method == "host") {
		t.fail(t.at("prefer_temporary"), "`prefer_temporary` chooses among this router's own addresses, and method = \"%s\" does not look at them", s.Method)
	}
	for _, key := range []string{"interface", "network"} {
		if none && t.there(key) {
			t.fail(t.at(key), "%s has no meaning with method = \"%s\"; to send through one device, set `bind` in the provider's table", quote(key), s.Method)
		}
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

// isSuffix reports whether only the last 80 bits of a are set: those that the
// shortest prefix of a site, a /48, leaves.
func isSuffix(a netip.Addr) bool {
	b := a.As16()
	return [6]byte(b[:6]) == [6]byte{}
}

// mac reads a 48-bit hardware address, with ":" or "-".
func (t *table) mac(key string, to *string) {
	var s string
	if !t.text(key, &s) {
		return
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
		return
	}
	*to = m
}
