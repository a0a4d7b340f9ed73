package provider

import (
	"fmt"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// Options are the same for all accounts.
type Options struct {
	_       [0]func()     // never compared: == would be code
	Version string        // of this program, for User-Agent
	CAFile  string        // PEM bundle; "": the system's
	Timeout time.Duration // one request, start to end; 0: 20 s
	HTTP2   bool          // servers may choose HTTP/2; bodies of at most 16 kB are sent then, and no header is read
}

// Provider is one account at one provider. It may be used by several
// goroutines at the same time.
type Provider struct {
	def    *Definition
	fields map[string]string // by canonical key, defaults filled in
	server string            // scheme://host[:port][/path], ""; replaces that of the URLs
	plain  bool              // http to any host is allowed
	bind   string
	opt    Options
	masker masker

	prepared struct{ ipv4, ipv6, both *prepared }

	kept  kept // of family steps: ids and tokens
	now   func() time.Time
	nonce func() string

	transport *transport
	dns       *dnsUpdater // of family rfc2136, else nil
}

// Limits are what the publisher must keep to.
type Limits struct {
	_               [0]func()     // never compared: == would be code
	MinInterval     time.Duration // between two requests for one record
	ServerErrorWait time.Duration // after ServerError with no other Wait
	Delay           time.Duration // usual time until the authoritative servers have it
	Both            bool          // a request deletes the family that it does not name
}

// New makes a provider of an account. The problems are by key, all of them;
// with any, there is no provider.
func New(def *Definition, acct config.Provider, opt Options) (*Provider, []FieldProblem) {
	if opt.Timeout <= 0 {
		opt.Timeout = 20 * time.Second
	}
	p := &Provider{def: def, plain: acct.InsecureHTTP, bind: acct.Bind, opt: opt, now: time.Now, nonce: newNonce}
	var problems []FieldProblem
	p.fields, problems = accountFields(def, dnsFields(def, acct))
	if def.Family == "generic" && len(problems) == 0 {
		var more []FieldProblem
		p.def, more = genericDefinition(def, p.fields)
		problems = append(problems, more...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	p.masker = p.newMasker(acct.Fields)
	if def.Family == "rfc2136" {
		return p.withDNS()
	}
	problems = append(problems, p.setServer(acct.Server)...)
	problems = append(problems, p.checkPlain()...)
	if len(problems) > 0 {
		return nil, problems
	}
	p.prepareAll()
	p.transport = newTransport(opt)
	return p, nil
}

// Definition returns what the provider was made from.
func (p *Provider) Definition() *Definition { return p.def }

// Limits returns the provider's limits.
func (p *Provider) Limits() Limits {
	return Limits{
		MinInterval:     time.Duration(p.def.Limits.MinInterval),
		ServerErrorWait: p.def.serverErrorWait(),
		Delay:           time.Duration(p.def.DNS.Delay),
		Both:            p.def.Hosts.Families == "must",
	}
}

// Supports reports whether addresses of the family can be published.
func (p *Provider) Supports(f config.Family) bool { return p.def.Supports(f) }

// Supports reports whether addresses of the family can be published. Of the
// generic provider only an account can tell, so that all are.
func (d *Definition) Supports(f config.Family) bool {
	switch {
	case d.Family == "generic", d.Family == "rfc2136", d.Family == "steps":
		return true
	case f == config.IPv4:
		return d.URL.IPv4 != ""
	case f == config.IPv6:
		return d.URL.IPv6 != ""
	}
	return false
}

// HasTTL reports whether Update.TTL reaches the provider.
func (p *Provider) HasTTL() bool { return p.def.HasTTL() }

// HasTTL reports whether the protocol can set a TTL. Of the generic provider
// only an account can tell: it can.
func (d *Definition) HasTTL() bool {
	f := &d.forms
	for i := range d.Steps {
		if s := &d.Steps[i]; strings.Contains(s.URL+s.Body, "{ttl") {
			return true
		}
	}
	for _, t := range d.Texts {
		if strings.Contains(t.Text+t.Else, "{ttl") {
			return true
		}
	}
	for _, t := range []template{f.update.ipv4, f.update.ipv6, f.update.both, f.body, f.bodyBoth} {
		if t.uses("ttl", "ttl_minutes") {
			return true
		}
	}
	return d.Family == "rfc2136" || d.Family == "generic"
}

// CanRemove reports whether Remove can do anything at all.
func (p *Provider) CanRemove() bool { return p.def.CanRemove() }

// CanRemove reports whether the protocol can take addresses away.
func (d *Definition) CanRemove() bool {
	for i := range d.Steps {
		if d.Steps[i].Action == "remove" {
			return true
		}
	}
	return d.Remove.IPv4+d.Remove.IPv6+d.Remove.Both != "" || d.Family == "rfc2136"
}

// accountFields checks what the user filled in.
func accountFields(def *Definition, given map[string]config.Secret) (map[string]string, []FieldProblem) {
	var problems []FieldProblem
	fields, known := map[string]string{}, []string{}
	taken := map[string]bool{}
	for _, f := range def.Fields {
		known = append(known, f.Key)
		value, from := "", f.Key
		for _, key := range append([]string{f.Key}, f.Also...) {
			if s, ok := given[key]; ok && !taken[key] {
				taken[key] = true
				if value == "" {
					value, from = s.Reveal(), key
				}
			}
		}
		value = strings.TrimRight(value, "\r\n")
		switch {
		case value == "" && f.Required:
			problems = append(problems, FieldProblem{f.Key, fmt.Sprintf("missing: %s%s", f.Label, help(f))})
		case def.Family != "generic" && hasControl(value) && !f.Lines:
			problems = append(problems, FieldProblem{from, "has a control character, such as a line break"})
		case value != "" && len(f.Options) > 0 && !slices.Contains(f.Options, value):
			problems = append(problems, FieldProblem{from, fmt.Sprintf("is none of %s", strings.Join(f.Options, ", "))})
		}
		if value == "" {
			value = f.Default
		}
		fields[f.Key] = value
	}
	for _, key := range keysOf(given) {
		if taken[key] {
			continue
		}
		message := fmt.Sprintf("unknown key for provider type %q", def.Name)
		if near := config.Nearest(key, append(known, reservedKeys...)); near != "" {
			message += fmt.Sprintf("; did you mean `%s`?", near)
		} else if len(known) > 0 {
			message += "; it has " + strings.Join(known, ", ")
		}
		problems = append(problems, FieldProblem{key, message})
	}
	sort.Slice(problems, func(i, j int) bool { return problems[i].Key < problems[j].Key })
	return fields, problems
}

func help(f Field) string {
	if f.Help == "" {
		return ""
	}
	return " (" + f.Help + ")"
}

// newMasker knows every secret of the account. Keys that the definition does
// not have are taken for secrets too.
func (p *Provider) newMasker(given map[string]config.Secret) masker {
	var secrets []string
	for _, f := range p.def.Fields {
		if f.Secret {
			secrets = append(secrets, p.fields[f.Key])
		}
	}
	for key, s := range given {
		if p.def.secret(key) {
			secrets = append(secrets, s.Reveal(), strings.TrimRight(s.Reveal(), "\r\n"))
		}
	}
	secrets = append(secrets, genericSecrets(p.def, p.fields)...)
	var basic []string
	if p.def.Request.Auth == "basic" && !p.def.forms.username.uses("hostname", "name", "hostnames") {
		value := p.values(nil, config.IPv4, false)
		basic = append(basic, p.def.forms.username.expand(value, escapeNone)+":"+p.def.forms.password.expand(value, escapeNone))
	}
	return newMasker(secrets, basic...)
}

// setServer takes the account's key "server".
func (p *Provider) setServer(server string) []FieldProblem {
	if server == "" {
		if p.def.forms.serverless {
			return []FieldProblem{{"server", "missing: the URL of your server, such as \"https://dyn.example.net\""}}
		}
		return nil
	}
	bad := func(message string) []FieldProblem { return []FieldProblem{{"server", message}} }
	if p.def.Name == "generic" || p.def.Family == "generic" {
		return bad("not with this type: the URL says it")
	}
	u, err := url.Parse(server)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return bad("a server is given as \"https://HOST\" or \"https://HOST:PORT\"")
	case u.User != nil:
		return bad("user and password have keys of their own")
	case u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" && !p.def.forms.serverless:
		return bad("scheme, host and port alone: the rest of the URL is the provider's")
	}
	p.server = u.Scheme + "://" + u.Host + strings.TrimSuffix(u.EscapedPath(), "/")
	return nil
}

// checkPlain refuses http, which everybody on the way can read.
func (p *Provider) checkPlain() []FieldProblem {
	if p.plain {
		return nil
	}
	for _, t := range p.def.forms.allURLs() {
		if len(t.parts) == 0 {
			continue
		}
		value := p.values(nil, config.IPv4, true)
		req, err := p.target(t, func(t template, escape func(key, value string) string) string { return t.expand(value, escape) })
		if err != nil {
			return []FieldProblem{{p.urlKey(), err.Error()}}
		}
		if !req.secure && !isLoopbackHost(req.host) {
			return []FieldProblem{{p.urlKey(), "plain http would send the credentials readable to " + p.masker.own(req.host) + ": use https, or allow it with insecure_http = true"}}
		}
	}
	return nil
}

// urlKey is the account's key that decides where requests go.
func (p *Provider) urlKey() string {
	if p.def.Name == "generic" {
		return "url"
	}
	return "server"
}

func (f *forms) allURLs() []template {
	all := []template{f.update.ipv4, f.update.ipv6, f.update.both, f.remove.ipv4, f.remove.ipv6, f.remove.both}
	return append(all, f.steps...)
}

func isLoopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// agentOS is what User-Agent says of the system.
const agentOS = runtime.GOOS

const agentArch = runtime.GOARCH
