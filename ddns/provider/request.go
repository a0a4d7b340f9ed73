package provider

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// request is one HTTP request, ready to be written.
type request struct {
	method string
	target
	header []field
	ready  string // instead: the whole header as it goes over the wire
	body   string
	family config.Family // connect in this family; 0: any
	limit  int           // bytes of the body that are read; 0: maxBody
}

// target is where a request goes.
type target struct {
	_      [0]func() // never compared: == would be code
	secure bool      // https
	host   string    // name or address, no brackets
	port   uint16
	path   string // with the query, as in the request line
}

// field is one header.
type field struct{ name, value string }

// errEmptyAddress would make a request that deletes.
var errEmptyAddress = errors.New("no address to send")

// family returns the family that the updates of one request are of; both: there
// are two, or the other one is known and the provider wants it each time.
func (p *Provider) family(updates []Update) (f config.Family, both bool) {
	for _, u := range updates {
		if f != 0 && u.Family != f {
			return config.IPv4, true
		}
		f = u.Family
	}
	return f, p.def.Hosts.Families == "must" && len(updates) > 0 && updates[0].Other.IsValid()
}

// updateRequest makes the request that publishes the updates, which are of one group.
func (p *Provider) updateRequest(updates []Update, show bool) (*request, error) {
	for i := range updates {
		if err := p.def.fits(&updates[i]); err != nil {
			return nil, err
		}
	}
	f, both := p.family(updates)
	body, pre := p.def.forms.body, p.prepared.ipv4
	switch {
	case both:
		body, pre = p.def.forms.bodyBoth, p.prepared.both
	case f == config.IPv6:
		pre = p.prepared.ipv6
	}
	if pre == nil || show {
		return p.build(p.def.forms.update.pick(f, both), p.def.Request.Method, body, updates, f, show)
	}
	value := p.values(updates, f, false)
	req := &request{method: p.def.Request.Method, target: pre.to, ready: pre.header, family: p.connection(f)}
	req.path = pre.path.expand(value, escapeOwn)
	req.body = body.expand(value, bodyEscape(p.def.Request.ContentType))
	return req, nil
}

// removeRequest makes the request that takes the addresses away.
func (p *Provider) removeRequest(updates []Update, show bool) (*request, error) {
	form, body := p.def.forms.remove, p.def.forms.removeBody
	f, both := p.family(updates)
	t := form.pick(f, both)
	if t.empty() && len(updates) > 0 {
		if updates[0].Other.IsValid() {
			return nil, fmt.Errorf("%s cannot take the %v address away and keep the other", p.def.Title, f)
		}
		t, both = form.both, true
	}
	if both {
		body = p.def.forms.removeBodyBoth
	}
	return p.build(t, p.def.Remove.Method, body, updates, f, show)
}

func (u urlForms) pick(f config.Family, both bool) template {
	switch {
	case both:
		return u.both
	case f == config.IPv6:
		return u.ipv6
	}
	return u.ipv4
}

// build fills the forms in.
func (p *Provider) build(t template, method string, body template, updates []Update, f config.Family, show bool) (*request, error) {
	if t.empty() {
		return nil, fmt.Errorf("%s cannot do this for %v", p.def.Title, f)
	}
	if err := p.lacks(t, f); err != nil {
		return nil, err
	}
	value := p.values(updates, f, show)
	req, err := p.assemble(requestParts{
		method: method, url: t, body: body, contentType: p.def.Request.ContentType, headers: p.def.forms.headers,
	}, func(t template, escape func(key, value string) string) string { return t.expand(value, escape) }, show)
	if err == nil {
		req.family = p.connection(f)
	}
	return req, err
}

// lacks says which field a template needs that is empty.
func (p *Provider) lacks(t template, f config.Family) error {
	for i := range p.def.Fields {
		if field := &p.def.Fields[i]; p.fields[field.Key] == "" && t.uses(field.Key) {
			return fmt.Errorf("%s needs the key %s (%s) for %v", p.def.Title, field.Key, field.Label, f)
		}
	}
	return nil
}

// connection is the family that a connection for an address of family f is to
// be of; 0: any.
func (p *Provider) connection(f config.Family) config.Family {
	if p.def.Request.ByConnection {
		return f
	}
	return 0
}

// parseTarget takes a URL apart.
func parseTarget(text string) (target, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return target{}, errors.New("not a URL of http or https")
	}
	to := target{secure: u.Scheme == "https", host: strings.ToLower(u.Hostname()), port: 80, path: u.RequestURI()}
	if to.secure {
		to.port = 443
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return target{}, errors.New("not a port in the URL")
		}
		to.port = uint16(n)
	}
	if !strings.HasPrefix(to.path, "/") || hasControl(to.path) || strings.Contains(to.path, " ") {
		return target{}, errors.New("not a URL of http or https")
	}
	return to, nil
}

// origin is scheme, host and port as a URL has them.
func (t target) origin() string {
	scheme := "http://"
	if t.secure {
		scheme = "https://"
	}
	return scheme + t.authority()
}

// authority is host and port as the header Host has them (RFC 9110 section 7.2).
func (t target) authority() string {
	host := t.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if t.secure && t.port == 443 || !t.secure && t.port == 80 {
		return host
	}
	return host + ":" + strconv.Itoa(int(t.port))
}

// Preview returns the requests that Send would make of the updates, one line
// each, secrets masked. The updates need not be of one group.
func (p *Provider) Preview(updates []Update) []string {
	if p.dns != nil {
		return p.dns.preview(updates)
	}
	if p.def.Family == "steps" {
		return p.previewSteps(updates)
	}
	var lines []string
	for _, group := range p.Group(updates) {
		req, err := p.updateRequest(pick(updates, group), true)
		if err != nil {
			lines = append(lines, p.masker.own(err.Error()))
			continue
		}
		line := req.method + " " + req.origin() + req.path
		if req.body != "" {
			line += " body " + strconv.Quote(req.body)
		}
		lines = append(lines, p.masker.mask(line))
	}
	return lines
}

func pick(updates []Update, group []int) []Update {
	list := make([]Update, len(group))
	for i, j := range group {
		list[i] = updates[j]
	}
	return list
}
