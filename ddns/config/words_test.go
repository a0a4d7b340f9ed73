package config

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestNearest(t *testing.T) {
	keys := []string{"hostname", "provider", "source", "families", "ttl", "enabled", "on_change", "remove_on_exit", "url"}
	for word, want := range map[string]string{
		"hostnam":       "hostname",
		"hostnmae":      "hostname",
		"Hostname":      "hostname",
		"HOSTNAME":      "hostname",
		"hsotnmae":      "hostname",
		"host":          "",
		"provder":       "provider",
		"tll":           "ttl",
		"tt":            "ttl",
		"uri":           "url",
		"abc":           "",
		"family":        "",
		"familys":       "families",
		"onchange":      "on_change",
		"remove_at_ext": "remove_on_exit",
		"":              "",
		"x":             "",
	} {
		if got := Nearest(word, keys); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
	if got := Nearest(strings.Repeat("a", 1<<20), []string{strings.Repeat("a", 1<<20)}); got != "" {
		t.Error("a very long word is worked on")
	}
	if got := Nearest("ab", []string{"b", "abc", "abd"}); got != "abc" && got != "b" {
		t.Errorf("of several: %q", got)
	}
	if Nearest("a", []string{"b"}) != "" {
		t.Error("words with no letter in common are near")
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "10m": 10 * time.Minute, "1h30m": 90 * time.Minute, "72h": 72 * time.Hour,
		"30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "1d2h3m4s": 26*time.Hour + 3*time.Minute + 4*time.Second,
		"0s": 0, "007s": 7 * time.Second, "3650d": 3650 * day,
	} {
		if got, err := parseDuration(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", " ", "off", "5", "s", "-5s", "+5s", "1.5h", "5 m", " 5m", "5m ", "5M", "1s1m", "1m1m", "1ms", "1w", "1d1", "5min", "１s",
		"3651d", "3650d1s", "99999999999999999999s", "9223372036854775807s", "1h-30m",
	} {
		if got, err := parseDuration(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestHostnames(t *testing.T) {
	label := strings.Repeat("a", 63)
	for s, want := range map[string]string{
		"home.ddns.net":                   "home.ddns.net",
		"Home.DDNS.net.":                  "home.ddns.net",
		"*.example.net":                   "*.example.net",
		"_dyn._x.example.net":             "_dyn._x.example.net",
		"xn--bcher-kva.de":                "xn--bcher-kva.de",
		"0.1.example.net":                 "0.1.example.net",
		"3com.com":                        "3com.com",
		label + ".example.net":            label + ".example.net",
		strings.Repeat("a.", 125) + "net": strings.Repeat("a.", 125) + "net",
	} {
		if got, err := normalHostname(s); err != nil || got != want {
			t.Errorf("%s: %s, %v", s, got, err)
		}
	}
	for _, s := range []string{"", ".", "..", "net", "*.", "*", "*.net", "**.example.net", "a*.example.net", "example.net..", "a b.net",
		strings.Repeat("a.", 126) + "net", "exa$mple.net", "example.net\n", "1.2.3.4", "1.2.3.4.5", "::1", "a.-b.net", "a.b-.net"} {
		if got, err := normalHostname(s); err == nil {
			t.Errorf("%q is %s", s, got)
		}
	}
}

func TestFamilies(t *testing.T) {
	for s, want := range map[string]Family{"203.0.113.5": IPv4, "2001:db8::1": IPv6, "::ffff:203.0.113.5": IPv4} {
		if got := FamilyOf(netip.MustParseAddr(s)); got != want {
			t.Errorf("%s is %s", s, got)
		}
	}
	if FamilyOf(netip.Addr{}) != 0 || IPv4.String() != "ipv4" || IPv6.String() != "ipv6" {
		t.Error("names")
	}
}
