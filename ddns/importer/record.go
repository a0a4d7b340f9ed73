package importer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// record is one table [[record]].
type record struct {
	host     string
	account  *account
	source   source
	families []config.Family
	ttl      time.Duration
	disabled bool
	onChange []string
	remarks  []string
	line     int
}

// text is the table; sources have their names by now.
func (r *record) text(sourceName string) string {
	var b strings.Builder
	for _, s := range r.remarks {
		b.WriteString(comment(s))
	}
	line := func(key, value string) { b.WriteString(key + " = " + value + "\n") }
	b.WriteString("[[record]]\n")
	line("hostname", tomlText(r.host))
	line("provider", tomlText(r.account.name))
	if sourceName != "wan" {
		line("source", tomlText(sourceName))
	}
	if len(r.families) != 1 || r.families[0] != config.IPv4 {
		names := make([]string, len(r.families))
		for i, f := range r.families {
			names[i] = f.String()
		}
		line("families", tomlList(names))
	}
	if r.ttl > 0 {
		line("ttl", tomlSpan(r.ttl))
	}
	if r.disabled {
		line("enabled", "false")
	}
	if len(r.onChange) > 0 {
		line("on_change", tomlList(r.onChange))
	}
	return b.String()
}

// publish adds the records of a wish.
func (im *importer) publish(w *wish, def *provider.Definition, a *account) {
	var families []config.Family
	for _, f := range w.families {
		if a.ready.Supports(f) {
			families = append(families, f)
		} else {
			im.note(w.line, "%s: %s is left out, as the provider %s cannot publish it", w.label, f, quote(a.typ))
		}
	}
	if len(families) == 0 {
		return
	}
	ttl := im.ttl(w, a)
	if len(w.hosts) == 0 {
		im.note(w.line, "%s: there is no hostname; add a [[record]] with it", w.label)
		im.aside(comment(w.label+": there is no hostname.") +
			commentOut("[[record]]\nhostname = \"?\"\nprovider = "+tomlText(a.name)+"\n"))
	}
	remarks := w.remarks
	for _, h := range w.hosts {
		host, ok := im.hostname(w, def, a, h)
		if !ok {
			continue
		}
		for _, f := range families {
			r := &record{host: host, account: a, source: *w.source(f), families: []config.Family{f}, ttl: ttl,
				disabled: w.disabled, onChange: w.onChange, remarks: remarks, line: h.line}
			r.source.private = r.source.private || im.private
			if im.addRecord(r) {
				remarks = nil
			}
		}
	}
}

// addRecord merges r, which has one family, with the record that differs in
// the family alone. No two may publish the same.
func (im *importer) addRecord(r *record) bool {
	f := r.families[0]
	for i, o := range im.records {
		if o.host != r.host || o.account != r.account || !slices.Contains(o.families, f) {
			continue
		}
		if !o.disabled || r.disabled {
			im.note(r.line, "%s: %s of this name at the same account is in line %d already; the second one is left out", r.host, f, o.line)
			return false
		}
		o.families = slices.DeleteFunc(o.families, func(g config.Family) bool { return g == f })
		if len(o.families) == 0 {
			im.note(o.line, "%s: left out, as line %d has the same and is enabled", o.host, r.line)
			im.records = slices.Delete(im.records, i, i+1)
		}
		break
	}
	for _, o := range im.records {
		same := o.host == r.host && o.account == r.account && o.ttl == r.ttl && o.disabled == r.disabled &&
			slices.Equal(o.onChange, r.onChange)
		if !same {
			continue
		}
		s, ok := o.source.with(r.source)
		if !ok {
			continue
		}
		o.source = s
		o.families = append(o.families, f)
		slices.Sort(o.families)
		o.remarks = append(o.remarks, r.remarks...)
		return true
	}
	im.records = append(im.records, r)
	return true
}

// with returns the source that is both; ok is false if there is none.
func (s source) with(o source) (source, bool) {
	if s == o {
		return s, true
	}
	if s.method != "static" || o.method != "static" || s.private != o.private {
		return s, false
	}
	for _, pair := range [...]struct{ to, from *string }{{&s.ipv4, &o.ipv4}, {&s.ipv6, &o.ipv6}} {
		switch {
		case *pair.to == "":
			*pair.to = *pair.from
		case *pair.from != "" && *pair.from != *pair.to:
			return s, false
		}
	}
	return s, true
}

// hostname returns the whole name of h in our form. A name that is none may
// be a piece of a password, so that messages do not have it.
func (im *importer) hostname(w *wish, def *provider.Definition, a *account, h option) (string, bool) {
	zone := a.zone
	if z := def.Hosts.Zone; zone == "" && !strings.Contains(z, "{") {
		zone = z
	}
	if strings.Contains(strings.TrimPrefix(h.value, "@."), ".") {
		zone = ""
	}
	host := whole(h.value, zone)
	ok := im.isHostname(host)
	if ok && a.ready.CheckHost(host) == nil {
		return host, true
	}
	why := "this is no whole hostname, such as home.example.net"
	if ok {
		why = "the provider " + quote(a.typ) + " cannot have this hostname"
	}
	im.note(h.line, "%s: a hostname is left out: %s", w.label, why)
	im.aside(comment(w.label+": "+why+".") +
		commentOut("[[record]]\nhostname = "+tomlText(h.value)+"\nprovider = "+tomlText(a.name)+"\n"))
	return "", false
}

// ttl returns the TTL of the records, 0 for the provider's own.
func (im *importer) ttl(w *wish, a *account) time.Duration {
	o := w.ttl
	if o.value == "" {
		return 0
	}
	seconds, err := strconv.Atoi(o.value)
	switch {
	case err != nil || seconds < 0 || seconds > 7*24*3600:
		im.unneeded(o, "it is no number of seconds up to a week")
		return 0
	case seconds <= 1:
		im.unneeded(o, "the provider's own TTL is used")
		return 0
	case !a.ready.HasTTL():
		im.unneededHere(o, "the provider "+quote(a.typ)+" has no way to set it")
		return 0
	}
	im.used[o] = true
	return time.Duration(seconds) * time.Second
}
