package importer

import (
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// oldInadyn reports whether the tokens are of a file from before version 2,
// which has neither sections nor "=".
func oldInadyn(tokens []token) bool {
	for _, t := range tokens {
		if t.is("=") || t.is("+") || t.is("{") {
			return false
		}
	}
	return tokens[0].kind == tokenWord
}

// inadyn1 reads a file from before version 2: one option a line, as on the
// command line, with or without "--".
func (im *importer) inadyn1(text string) {
	var w *wish
	var global source
	var force time.Duration
	number := 0
	begin := func() {
		w = &wish{line: number, label: "the account in line " + decimal(number)}
		im.wish(w)
	}
	has := func(key string) bool {
		for _, o := range w.options {
			if o.key == key {
				return true
			}
		}
		return false
	}
	for line := range strings.Lines(text) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		o := option{key: strings.ToLower(strings.TrimLeft(words[0], "-")), line: number}
		if len(words) > 1 {
			o.value = words[1]
		}
		if len(words) > 2 && words[2][0] != '#' {
			im.note(number, "what is after the first value is left out")
		}
		switch o.key {
		case "system", "dyndns_system":
			if w == nil || w.service != "" {
				begin()
			}
			w.service = o.value
			prefix, _, _ := strings.Cut(o.value, "@")
			im.inadynKnown(w, o.value)
			w.both(inadynFamily(prefix, nil, &inadynGlobal{}))
		case "username", "password":
			if w == nil || has(o.key) {
				begin()
			}
			w.options = append(w.options, o)
		case "alias", "hostname":
			if w == nil {
				begin()
			}
			// freedns had NAME,HASH.
			name, _, more := strings.Cut(o.value, ",")
			if more {
				im.note(number, "%s: what is after the comma is left out", o.key)
			}
			im.host(w, option{o.key, name, number})
		case "iface", "bind_interface", "bind":
			global = im.fromDevice(nil, o)
		case "forced-update", "forced_update_period", "forced-update-period":
			force = im.seconds(o)
		case "verify-address":
			im.private = !confuseTrue(o.value)
		case "wildcard":
			im.unneeded(o, "it has no equivalent")
		default:
			im.unneededOf(inadynUnneeded, o)
		}
	}
	for _, w := range im.wishes {
		if w.service == "" {
			w.service = "dyndns.org" // inadyn's default
			im.inadynKnown(w, w.service)
		}
		if len(w.families) == 0 {
			w.both(config.IPv4)
		}
		w.sources, w.force = [2]source{global, global}, force
	}
}
