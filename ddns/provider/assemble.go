package provider

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// requestParts are the templates of one request.
type requestParts struct {
	method      string
	url, body   template
	contentType string
	headers     []headerForm
	plain       bool // no credentials of the file's
}

// expander fills in a template.
type expander func(t template, escape func(key, value string) string) string

// assemble fills the templates in. show: what stands for a secret is masked.
func (p *Provider) assemble(parts requestParts, expand expander, show bool) (*request, error) {
	to, err := p.target(parts.url, expand)
	if err != nil {
		return nil, err
	}
	req := &request{method: parts.method, target: to}
	req.set("User-Agent", expand(p.def.forms.userAgent, escapeNone))
	if p.def.Request.Auth == "basic" && !parts.plain {
		user := expand(p.def.forms.username, escapeNone)
		password := expand(p.def.forms.password, escapeNone)
		if show {
			req.set("Authorization", "Basic "+masked)
		} else {
			req.set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
		}
	}
	accept := "*/*"
	for _, h := range parts.headers {
		v := expand(h.value, escapeNone)
		if strings.EqualFold(h.name, "accept") {
			accept = v
			continue
		}
		if v != "" {
			req.set(h.name, v)
		}
	}
	req.set("Accept", accept)
	if !parts.body.empty() {
		req.body = expand(parts.body, bodyEscape(parts.contentType))
		req.set("Content-Type", parts.contentType)
	}
	for _, h := range req.header {
		if hasControl(h.value) {
			return nil, fmt.Errorf("header %s would have a control character", h.name)
		}
	}
	return req, nil
}

// set adds a header.
func (r *request) set(name, value string) { r.header = append(r.header, field{name, value}) }

// target fills in a URL and takes it apart. The error has no part of the URL,
// which may hold secrets.
func (p *Provider) target(t template, expand expander) (target, error) {
	text := expand(t, func(key, v string) string {
		if key == "server" {
			return v
		}
		return escapeURL(key, v)
	})
	if p.server != "" && !p.def.forms.serverless {
		if _, rest, ok := strings.Cut(text, "://"); ok {
			end := strings.IndexAny(rest, "/?")
			if end < 0 {
				end = len(rest)
			}
			text = p.server + rest[end:]
		}
	}
	return parseTarget(text)
}
