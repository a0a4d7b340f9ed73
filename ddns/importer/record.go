package importer

import (
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
	ipv4     bool
	ipv6     bool
	rest     string // of the table: what has to be the same in both families
	disabled bool
	remarks  []string
	line     int
}

// families are whether a record has IPv4 and IPv6.
func (r *record) has(f config.Family) *bool {
	if f == config.IPv6 {
		return &r.ipv6
	}
	return &r.ipv4
}

// text is the table; sources have their names by now.
func (r *record) text(sourceName string) string {
	var b strings.Builder
	for _, s := range r.remarks {
		b.WriteString(comment(s))
	}
	b.WriteString("[[record]]\n")
	line(&b, "hostname", config.Text(r.host))
	line(&b, "provider", config.Text(r.account.name))
	if sourceName != "wan" {
		line(&b, "source", config.Text(sourceName))
	}
	switch {
	case r.ipv4 && r.ipv6:
		line(&b, "families", `["ipv4", "ipv6"]`)
	case r.ipv6:
		line(&b, "families", `["ipv6"]`)
	}
	b.WriteString(r.rest)
	return b.String()
}

// publish adds the records of a wish.
func (im *importer) publish(w *wish, def *provider.Definition, a *account) {
	var families []config.Family
	for _, f := range w.families {
		if a.ready.Supports(f) {
			families = append(families, f)
		} else {
			im.note(w.line, w.label, ": ", f.String(), " is left out, as the provider ", quote(a.typ), " cannot publish it")
		}
	}
	if len(families) == 0 {
		return
	}
	var b strings.Builder
	if ttl := im.ttl(w, a); ttl > 0 {
		line(&b, "ttl", tomlSpan(ttl))
	}
	if w.disabled {
		line(&b, "enabled", "false")
	}
	if len(w.onChange) > 0 {
		line(&b, "on_change", tomlList(w.onChange))
	}
	if len(w.hosts) == 0 {
		im.note(w.line, w.label, ": there is no hostname; add a [[record]] with it")
		im.aside(comment(w.label+": there is no hostname.") + refusedRecord("?", a))
	}
	remarks := w.remarks
	for _, h := range w.hosts {
		host := im.hostname(w, def, a, h)
		if host == "" {
			continue
		}
		for _, f := range families {
			r := &record{host: host, account: a, source: *w.source(f), rest: b.String(), disabled: w.disabled, remarks: remarks, line: h.line}
			*r.has(f) = true
			if im.private {
				r.source += allowPrivate
			}
			if im.addRecord(r, f) {
				remarks = nil
			}
		}
	}
}

// addRecord merges r, which has one family, with the record that differs in
// the family alone. No two may publish the same.
func (im *importer) addRecord(r *record, f config.Family) bool {
	for i, o := range im.records {
		if o.host != r.host || o.account != r.account || !*o.has(f) {
			continue
		}
		if !o.disabled || r.disabled {
			im.note(r.line, r.host, ": ", f.String(), " of this name at the same account is in line ", decimal(o.line), " already; the second one is left out")
			return false
		}
		im.note(o.line, o.host, ": ", f.String(), " is left out, as line ", decimal(r.line), " has the same and is enabled")
		if *o.has(f) = false; !o.ipv4 && !o.ipv6 {
			im.records = append(im.records[:i], im.records[i+1:]...)
		}
		break
	}
	for _, o := range im.records {
		if o.host != r.host || o.account != r.account || o.rest != r.rest {
			continue
		}
		if s, ok := o.source.with(r.source); ok {
			o.source = s
			*o.has(f) = true
			o.remarks = append(o.remarks, r.remarks...)
			return true
		}
	}
	im.records = append(im.records, r)
	return true
}

// hostname returns the whole name of h in our form; "": it is none. A name
// that is none may be a piece of a password, so that messages do not have it.
func (im *importer) hostname(w *wish, def *provider.Definition, a *account, h *option) string {
	zone := a.zone
	if z := def.Hosts.Zone; zone == "" && !strings.Contains(z, "{") {
		zone = z
	}
	if strings.Contains(strings.TrimPrefix(h.value, "@."), ".") {
		zone = ""
	}
	host := whole(h.value, zone)
	why := "this is no whole hostname, such as home.example.net"
	if im.isHostname(host) {
		if a.ready.CheckHost(host) == nil {
			return host
		}
		why = "the provider " + quote(a.typ) + " cannot have this hostname"
	}
	im.note(h.line, w.label, ": a hostname is left out: ", why)
	im.aside(comment(w.label+": "+why+".") + refusedRecord(h.value, a))
	return ""
}

// ttl returns the TTL of the records, 0 for the provider's own.
func (im *importer) ttl(w *wish, a *account) time.Duration {
	o := w.ttl
	if o == nil {
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
		o.used = false
		im.unneededHere(o, "the provider "+quote(a.typ)+" has no way to set it")
		return 0
	}
	o.used = true
	return time.Duration(seconds) * time.Second
}
