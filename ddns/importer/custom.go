package importer

import (
	"net/url"
	"strings"
)

// urlParts is an update URL of the user's own on its way into our form.
type urlParts struct {
	b      strings.Builder
	fields []option // of the account
}

// literal adds text that stands for itself.
func (u *urlParts) literal(s string) {
	// Braces would be placeholders.
	u.b.WriteString(strings.NewReplacer("{", "%7B", "}", "%7D").Replace(s))
}

// encoded adds text that the query of a URL cannot have as it is.
func (u *urlParts) encoded(s string) { u.b.WriteString(url.QueryEscape(s)) }

// field adds a placeholder, and its value to the account's fields.
func (u *urlParts) field(key, value string, line int) {
	u.b.WriteString("{" + key + "}")
	u.fields = append(u.fields, option{key, value, line})
}

// ddnsCustom makes the user's own URL of a section that has update_url.
func (im *importer) ddnsCustom(w *wish, get map[string]option) {
	o := get["update_url"]
	switch {
	case o.value == "" && get["service_name"].value != "":
		return // carry says that it is not known
	case o.value == "" && get["update_script"].value != "":
		w.refused = "a script of your own cannot be carried over; say what it sends with type = \"generic\""
		return
	case o.value == "":
		w.refused = "it has neither service_name nor update_url"
		return
	}
	w.known, w.service = nil, ""
	text := o.value
	if rest, ok := cutFold(text, "http://"); ok {
		if uciTrue(get["use_https"].value) {
			text = "https://" + rest
		} else {
			w.plain = true
		}
	}
	text, user, password, auth := userInfo(text)
	hosts, sent := im.ddnsDomain(w, get)

	u := &urlParts{}
	for text != "" {
		i := strings.IndexByte(text, '[')
		if i < 0 {
			break
		}
		u.literal(text[:i])
		text = text[i:]
		name, rest, ok := strings.Cut(text[1:], "]")
		if !ok {
			break
		}
		text = rest
		switch name {
		case "IP":
			u.b.WriteString("{address}")
		case "DOMAIN":
			if sent != "" {
				u.encoded(sent)
			} else {
				u.b.WriteString("{hostname}")
			}
		case "USERNAME":
			u.field("username", get["username"].value, get["username"].line)
		case "PASSWORD":
			u.field("password", get["password"].value, get["password"].line)
		case "PARAMENC":
			u.field("token", get["param_enc"].value, get["param_enc"].line)
		case "PARAMOPT":
			u.literal(get["param_opt"].value)
		default:
			u.literal("[" + name + "]")
		}
	}
	u.literal(text)
	w.custom = &custom{url: u.b.String()}
	for _, key := range []string{"username", "password"} {
		// Between "//" and "@": sent by HTTP Basic.
		part := map[string]string{"username": user, "password": password}[key]
		placeholder := "[" + strings.ToUpper(key) + "]"
		switch {
		case !auth:
		case part == placeholder:
			u.fields = append(u.fields, get[key])
		case part != "":
			if plain, err := url.PathUnescape(part); err == nil {
				part = plain
			}
			u.fields = append(u.fields, option{key, part, o.line})
		}
	}
	if auth && strings.Contains(w.custom.url, "{username}") {
		im.note(o.line, "update_url: what is before the @ is left out, as the user name is in the query too")
	}
	for _, p := range w.options {
		if p.key != "domain" && !strings.Contains(o.value, "["+strings.ToUpper(strings.ReplaceAll(p.key, "_", ""))+"]") {
			im.unneeded(p, "update_url does not use it")
		}
	}
	w.options, w.hosts = u.fields, hosts
}

// ddnsDomain returns the hostnames of a section, and if [DOMAIN] stands for
// something else, that.
func (im *importer) ddnsDomain(w *wish, get map[string]option) (hosts []option, sent string) {
	domain := get["domain"]
	for name := range strings.SplitSeq(domain.value, ",") {
		name = strings.TrimSpace(name)
		if !im.isHostname(name) {
			return []option{w.lookup}, domain.value
		}
		hosts = append(hosts, option{"domain", name, domain.line})
	}
	return hosts, ""
}

// userInfo cuts user and password out of a URL. They may have any character:
// the last "@" before the path ends them.
func userInfo(text string) (rest, user, password string, ok bool) {
	scheme, after, found := strings.Cut(text, "://")
	if !found {
		return text, "", "", false
	}
	end := strings.IndexAny(after, "/?#")
	if end < 0 {
		end = len(after)
	}
	at := strings.LastIndexByte(after[:end], '@')
	if at < 0 {
		return text, "", "", false
	}
	user, password, _ = strings.Cut(after[:at], ":")
	return scheme + "://" + after[at+1:], user, password, true
}

// cutFold is strings.CutPrefix for ASCII of either case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}
