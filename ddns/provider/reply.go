package provider

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// response is a complete answer of a peer.
type response struct {
	status int
	header map[string]string // names in lower case; the first of several
	body   string            // at most maxBody bytes, or the request's limit
	cut    bool              // there may have been more
}

// maxWait bounds what a peer can ask for.
const maxWait = 24 * time.Hour

// interpret gives the outcome of each update of one request. The updates of a
// hostname are next to each other. split asks for the same again, one hostname
// a request.
func (d *Definition) interpret(r *response, updates []Update, now time.Time, m masker) (outcomes []Outcome, split bool) {
	var verdicts []verdict
	if d.Family == "dyndns2" {
		verdicts, split = d.readDyndns2(r, updates)
	}
	if verdicts == nil {
		verdicts = repeat(d.readPatterns(r, updates), len(updates))
	}
	outcomes = make([]Outcome, len(updates))
	for i, v := range verdicts {
		outcomes[i] = d.outcome(v, r, now, m)
	}
	return outcomes, split
}

// verdict is what a reply says of one update, before limits and texts.
type verdict struct {
	_        [0]func() // never compared: == would be code
	class    Class
	words    string // of the peer; "": body or status speak for it
	own      string // our own words, instead
	wait     time.Duration
	account  bool
	endpoint bool
	known    bool // the peer named the class in its own words
	stored   netip.Addr
	warning  string
}

func repeat(v verdict, n int) []verdict {
	all := make([]verdict, n)
	for i := range all {
		all[i] = v
	}
	return all
}

// readPatterns applies the definition's patterns: errors, then unchanged, then
// updated, then what HTTP itself says.
func (d *Definition) readPatterns(r *response, updates []Update) verdict {
	s := newSubject(r.status, r.body, patternValues(updates))
	page := isHTML(r.body)
	html := page && !d.Reply.WebPage
	find := func(c Class) bool {
		for _, p := range d.forms.reply[c] {
			if html && !p.onStatus() || c.Done() && r.status/100 != 2 && !p.onStatus() {
				continue
			}
			if p.match(s) {
				return true
			}
		}
		return false
	}
	for _, c := range errorClasses {
		if find(c) {
			return verdict{class: c, known: true}
		}
	}
	if !html {
		for _, c := range []Class{Unchanged, Updated} {
			if find(c) {
				return verdict{class: c, known: true}
			}
		}
	}
	return byStatus(r, page)
}

// byStatus is the class of an answer whose body says nothing known.
func byStatus(r *response, html bool) verdict {
	switch code := r.status; {
	case code == 401 || code == 403:
		return verdict{class: BadAuth}
	case code == 404:
		return verdict{class: Unknown, endpoint: true, own: "HTTP status 404: there is nothing at the update URL"}
	case code == 429:
		return verdict{class: TooMany}
	case code >= 500:
		return verdict{class: ServerError}
	case code >= 400:
		return verdict{class: BadRequest}
	case html:
		return verdict{class: Unknown, own: fmt.Sprintf("HTTP status %d with a web page instead of an answer (a login page of the network?)", code)}
	}
	if e := r.header["content-encoding"]; e != "" && !strings.EqualFold(e, "identity") {
		return verdict{class: Unknown, own: fmt.Sprintf("HTTP status %d with a compressed body that was not asked for", r.status)}
	}
	return verdict{class: Unknown}
}

// outcome completes a verdict with what the headers and the catalogue say.
func (d *Definition) outcome(v verdict, r *response, now time.Time, m masker) Outcome {
	o := Outcome{Class: v.class, Wait: v.wait, Endpoint: v.endpoint, Sent: true}
	o.Account = v.account || d.forms.account[v.class] || r.status == 429
	after, named := retryAfter(r.header["retry-after"], now)
	switch v.class {
	case ServerError:
		switch {
		case named:
			o.Wait = after
		case v.known && o.Wait == 0:
			o.Wait = d.serverErrorWait()
		}
	case TooMany:
		switch {
		case named:
			o.Wait = after
		case o.Wait == 0:
			o.Wait = time.Duration(d.Limits.MinInterval)
		}
	case Unknown:
		o.Wait = max(o.Wait, after)
	}
	o.Wait = min(o.Wait, maxWait)
	o.Text = d.text(v, r, m)
	if v.warning != "" {
		o.Warning = m.own(v.warning)
	}
	if v.stored.IsValid() {
		o.Warning = strings.TrimPrefix(o.Warning+"; provider stored "+v.stored.String(), "; ")
	}
	return o
}

// text is the peer's words, or ours where the peer's are missing or misleading.
func (d *Definition) text(v verdict, r *response, m masker) string {
	if say := d.Reply.Say[string(v.class)]; say != "" {
		return m.own(say)
	}
	if v.own != "" {
		return m.own(v.own)
	}
	words := v.words
	if words == "" {
		words = strings.TrimSpace(r.body)
	}
	switch {
	case r.status/100 == 2 && isHTML(words):
		return fmt.Sprintf("HTTP status %d with a web page", r.status)
	case r.status/100 == 2 && words != "":
		return m.peer(words)
	case words == "" || isHTML(words):
		if r.status/100 == 2 {
			return fmt.Sprintf("HTTP status %d with an empty body", r.status)
		}
		return fmt.Sprintf("HTTP status %d", r.status)
	}
	text := m.peer(words)
	prefix := fmt.Sprintf("HTTP status %d: ", r.status)
	if runes := []rune(text); len(runes)+len(prefix) > maxText {
		text = string(runes[:maxText-len(prefix)-2]) + `…"`
	}
	return prefix + text
}

func (d *Definition) serverErrorWait() time.Duration {
	switch {
	case d.Limits.ServerErrorWait != 0:
		return time.Duration(d.Limits.ServerErrorWait)
	case d.Family == "dyndns2":
		return 30 * time.Minute
	}
	return 5 * time.Minute
}

// isHTML reports whether a body is a web page, perhaps behind an XML prolog,
// comments or a few words.
func isHTML(body string) bool {
	body = strings.TrimSpace(body)
	head := strings.ToLower(body[:min(len(body), 1024)])
	for _, mark := range []string{"<html", "<!doctype html", "<head>", "<body"} {
		if strings.Contains(head, mark) {
			return true
		}
	}
	return false
}

// retryAfter reads the header Retry-After (RFC 9110 section 10.2.3): seconds or
// a date.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0, false
	}
	if n, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(n, uint64(maxWait/time.Second))) * time.Second, true
	}
	for _, layout := range []string{time.RFC1123, "Monday, 02-Jan-06 15:04:05 MST", time.ANSIC} {
		if t, err := time.Parse(layout, value); err == nil {
			return max(0, min(t.Sub(now), maxWait)), true
		}
	}
	return 0, false
}

// patternValues gives what a reply may repeat.
func patternValues(updates []Update) func(string) string {
	return func(key string) string {
		for _, u := range updates {
			switch {
			case key == "hostname":
				return u.Hostname
			case key == "address", key == "ipv4" && u.Family == config.IPv4, key == "ipv6" && u.Family == config.IPv6:
				if u.Addr.IsValid() {
					return u.Addr.String()
				}
			}
		}
		return ""
	}
}
