package config

import (
	"net/netip"
	"strings"
	"time"
)

// config reads the whole file. What was wrong has its default or zero value.
func (r *reader) config(tree map[string]any) *Config {
	file := &table{reader: r, values: tree}
	c := &Config{
		Daemon: file.daemon(),
		Verify: file.verify(),
		Notify: file.notify(),
	}
	var named bool
	c.Sources, named = file.sources()
	c.Providers = file.providers()
	for i, t := range file.tables("record") {
		c.Records = append(c.Records, t.record(i, c))
	}
	if !named && len(c.Records) > 0 {
		c.restrain()
	}
	for i, t := range file.tables("alias") {
		c.Aliases = append(c.Aliases, t.alias(i, c))
	}
	file.unknown()
	r.crossCheck(c)
	return c
}

func (t *table) daemon() Daemon {
	d := Daemon{
		StateDir:     "/var/lib/wanbeacon",
		Socket:       "/var/run/wanbeacon.sock",
		LogLevel:     "info",
		ProvidersDir: "/etc/wanbeacon/providers.d",
		Timeout:      20 * time.Second,
	}
	if t = t.subtable("daemon"); t == nil {
		return d
	}
	t.file("state_dir", &d.StateDir)
	// sockaddr_un.sun_path has 108 bytes, the last a NUL (unix(7)).
	if t.file("socket", &d.Socket) && len(d.Socket) > 107 {
		t.fail(t.at("socket"), "`socket` is longer than the 107 bytes that the system allows; choose a shorter path")
	}
	t.choice("log_level", &d.LogLevel, "debug", "info", "warn", "error")
	t.fileOrNone("providers_dir", &d.ProvidersDir)
	if t.fileOrNone("ca_file", &d.CAFile); d.CAFile != "" {
		if _, _, err := readFile(d.CAFile, maxBundle); err != nil {
			t.fail(t.at("ca_file"), "`ca_file`: %s: %v", printable(d.CAFile), err)
		}
	}
	t.duration("timeout", &d.Timeout, time.Second, 5*time.Minute)
	t.unknown()
	return d
}

// fileOrNone reads an absolute path or "".
func (t *table) fileOrNone(key string, to *string) {
	if t.values[key] == "" {
		t.text(key, to)
		return
	}
	t.file(key, to)
}

func (t *table) verify() Verify {
	v := Verify{Enabled: true, Interval: 10 * time.Minute}
	if t = t.subtable("verify"); t == nil {
		return v
	}
	t.flag("enabled", &v.Enabled)
	t.duration("interval", &v.Interval, time.Second, 30*day)
	var resolver string
	if t.text("resolver", &resolver) && strings.HasPrefix(resolver, "https://") {
		resolver = strings.TrimSuffix(resolver, "{?dns}") // operators write templates (RFC 8484 section 3)
		if v.DoH = resolver; !isWebURL(resolver) {
			t.fail(t.at("resolver"), "`resolver`: not an address and not a URL such as https://dns.example.net/dns-query")
		}
	} else if resolver != "" {
		v.Resolver = t.nameServer("resolver", t.at("resolver"), resolver)
	}
	var roots []string
	t.list("roots", &roots, `["198.41.0.4"]`)
	for i, root := range roots {
		v.Roots = append(v.Roots, t.nameServer("roots", elementPath(t.at("roots"), i), root))
	}
	t.unknown()
	return v
}

// nameServer returns an address with an optional port, which is 53 by default.
func (t *table) nameServer(key, path, s string) netip.AddrPort {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(a, 53)
	}
	a, err := netip.ParseAddrPort(s)
	if err != nil || a.Port() == 0 {
		t.fail(path, "%s: %s is not an address with an optional port, such as 9.9.9.9 or [2620:fe::fe]:53", quote(key), quote(s))
	}
	return a
}

func (t *table) notify() Notify {
	var n Notify
	if t = t.subtable("notify"); t == nil {
		return n
	}
	t.argv("command", &n.Command)
	if t.text("url", &n.URL) && n.URL != "" && !isWebURL(n.URL) {
		t.fail(t.at("url"), "`url` must be an http or https URL, such as https://ntfy.example/topic")
	}
	t.unknown()
	return n
}

// isWebURL reports whether s is an http or https URL with a host.
func isWebURL(s string) bool {
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = rest[:i]
	}
	return ok && (scheme == "http" || scheme == "https") && host != "" && !strings.ContainsAny(s, " \t")
}
