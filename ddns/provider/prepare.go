package provider

import (
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// prepared is what all updates by one URL have in common, filled in when the
// account is made: between the kernel's event and the first byte only the rest
// is left to do.
type prepared struct {
	_      [0]func() // never compared: == would be code
	to     target    // but for the path
	path   template  // with the query
	header string    // as it goes over the wire
}

// changing are the placeholders that differ from one update to the next.
const changing words = " hostname hostnames name names apex ipv4 ipv6 address type ttl ttl_minutes "

// prepareAll prepares what can be.
func (p *Provider) prepareAll() {
	f := &p.def.forms
	p.prepared.ipv4 = p.prepare(f.update.ipv4, f.body)
	p.prepared.ipv6 = p.prepare(f.update.ipv6, f.body)
	p.prepared.both = p.prepare(f.update.both, f.bodyBoth)
}

// prepare assembles a request with marks in place of what changes. nil: that
// is not in the path alone, or is transformed, or there is something to
// complain of; each request is then assembled for itself.
func (p *Provider) prepare(url, body template) *prepared {
	for _, part := range url.parts {
		if changing.has(part.key) && len(part.apply) > 0 {
			return nil
		}
	}
	if url.empty() || p.lacks(url, 0) != nil {
		return nil
	}
	marks := 0
	value := p.values(nil, config.IPv4, false)
	marked := func(key string) string {
		if !changing.has(key) {
			return value(key)
		}
		marks++
		return mark(key)
	}
	req, err := p.assemble(requestParts{method: p.def.Request.Method, url: url, headers: p.def.forms.headers},
		func(t template, escape func(key, value string) string) string { return t.expand(marked, escape) }, false)
	if err != nil {
		return nil
	}
	if !body.empty() {
		req.set("Content-Type", p.def.Request.ContentType)
	}
	pre := &prepared{to: req.target, header: req.hostLine() + req.lines()}
	for rest := req.path; rest != ""; marks-- {
		at, key := nextMark(rest)
		pre.path.parts = append(pre.path.parts, part{text: rest[:at]})
		if key == "" {
			break
		}
		pre.path.parts = append(pre.path.parts, part{key: key})
		rest = rest[at+len(mark(key)):]
	}
	if marks != 0 {
		return nil
	}
	return pre
}

// mark stands for a placeholder in a URL, which takes letters as they are.
func mark(key string) string { return markBegins + strings.ReplaceAll(key, "_", "") + "qz" }

const markBegins = "zq"

// nextMark finds the first mark, or the end.
func nextMark(s string) (at int, key string) {
	for {
		i := strings.Index(s[at:], markBegins)
		if i < 0 {
			return len(s), ""
		}
		at += i
		for _, key := range strings.Fields(string(changing)) {
			if strings.HasPrefix(s[at:], mark(key)) {
				return at, key
			}
		}
		at += len(markBegins)
	}
}
