package importer

import (
	"net/url"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/replace"
)

// literal is text of a URL that stands for itself: braces would be placeholders.
func literal(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "{", "%7B"), "}", "%7D")
}

// ddnsCustom makes the user's own URL of a section that has update_url.
func (im *importer) ddnsCustom(w *wish, c *uciSection) {
	o := find(c.options, "update_url")
	switch {
	case o.value == "" && find(c.options, "service_name").value != "":
		return // carry says that it is not known
	case o.value == "" && w.service != "":
		w.refused = "a script of your own cannot be carried over; say what it sends with type = \"generic\""
		return
	case o.value == "":
		w.refused = "it has neither service_name nor update_url"
		return
	}
	text := o.value
	if rest, ok := cutFold(text, "http://"); ok {
		if isTrue(find(c.options, "use_https").value) {
			text = "https://" + rest
		} else {
			w.plain = true
		}
	}
	text, user, password := userInfo(text)
	hosts, sent := im.ddnsDomain(w, c)
	if sent == "" {
		sent = "{hostname}"
	} else {
		sent = url.QueryEscape(sent)
	}
	param := find(c.options, "param_enc")
	text = replace.All(text, "{", "%7B", "}", "%7D", "[IP]", "{address}", "[DOMAIN]", sent, "[USERNAME]", "{username}",
		"[PASSWORD]", "{password}", "[PARAMENC]", "{token}", "[PARAMOPT]", literal(find(c.options, "param_opt").value))
	w.custom = &custom{url: text}

	var fields []*option
	for _, p := range w.options {
		used := strings.Contains(o.value, "["+strings.ToUpper(strings.ReplaceAll(p.key, "_", ""))+"]")
		switch {
		case p.key == "domain" || p.key == "param_opt" && used:
		case !used:
			im.unneeded(p, "update_url does not use it")
		case p == param:
			fields = append(fields, &option{key: "token", value: p.value, line: p.line})
		default:
			fields = append(fields, p)
		}
	}
	// What is between "//" and "@" goes into the header Authorization.
	for i, part := range [...]string{user, password} {
		key := [...]string{"username", "password"}[i]
		if part != "" && part != "["+strings.ToUpper(key)+"]" {
			if plain, err := url.PathUnescape(part); err == nil {
				part = plain
			}
			fields = append(fields, &option{key: key, value: part, line: o.line})
		}
	}
	if user+password != "" && strings.Contains(text, "{username}") {
		im.note(o.line, "update_url: what is before the @ is left out, as the user name is in the query too")
	}
	w.options, w.hosts = fields, hosts
}

// ddnsDomain returns the hostnames of a section, and if [DOMAIN] stands for
// something else, that.
func (im *importer) ddnsDomain(w *wish, c *uciSection) (hosts []*option, sent string) {
	domain := find(c.options, "domain")
	for _, name := range strings.Split(domain.value, ",") {
		name = strings.TrimSpace(name)
		if len(hosts) == maxHosts || !im.isHostname(name) {
			hosts = nil
			if w.lookup != nil {
				hosts = append(hosts, w.lookup)
			}
			return hosts, domain.value
		}
		hosts = append(hosts, &option{key: "domain", value: name, line: domain.line})
	}
	return hosts, ""
}

// userInfo cuts user and password out of a URL. They may have any character:
// the last "@" before the path ends them.
func userInfo(text string) (rest, user, password string) {
	scheme, after, found := strings.Cut(text, "://")
	end := strings.IndexAny(after, "/?#")
	if end < 0 {
		end = len(after)
	}
	at := strings.LastIndexByte(after[:end], '@')
	if !found || at < 0 {
		return text, "", ""
	}
	user, password, _ = strings.Cut(after[:at], ":")
	return scheme + "://" + after[at+1:], user, password
}

// cutFold is strings.CutPrefix for ASCII of either case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}
