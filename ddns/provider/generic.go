package provider

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// genericDefinition makes a definition of what the user wrote into the account:
// the family "generic" is a template whose form is in its fields. The problems
// are by the account's keys.
func genericDefinition(def *Definition, fields map[string]string) (*Definition, []FieldProblem) {
	d := *def
	d.Family = "template"
	d.URL = URLs{IPv4: fields["url"], IPv6: fields["url_ipv6"], Both: fields["url_both"]}
	var problems []FieldProblem
	problem := func(key, format string, args ...any) {
		problems = append(problems, FieldProblem{key, fmt.Sprintf(format, args...)})
	}
	if d.URL.IPv6 == "" && strings.Contains(d.URL.IPv4, "{address") {
		d.URL.IPv6 = d.URL.IPv4
	}
	d.Hosts = HostForm{Zone: fields["zone"], Wildcard: true, List: strings.Contains(d.URL.IPv4, "{hostnames")}
	if d.URL.Both != "" {
		d.Hosts.Families = "may"
	}
	d.Request = RequestForm{
		Method: strings.ToUpper(fields["method"]), Body: fields["body"], ContentType: fields["content_type"],
		UserAgent: fields["user_agent"], Headers: map[string]string{},
	}
	if d.Request.Method == "" && d.Request.Body != "" {
		d.Request.Method = "POST"
	}
	if d.Request.Body != "" && d.Request.ContentType == "" {
		d.Request.ContentType = "application/x-www-form-urlencoded"
	}
	for _, line := range strings.Split(fields["headers"], "\n") {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok && name != "" {
			problem("headers", "each line is \"Name: value\"")
			continue
		}
		if name != "" {
			d.Request.Headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	if basicMeant(fields) {
		d.Request.Auth = "basic"
	}
	d.Reply = ReplyForm{Updated: orDefault(fields["success"], "status 2xx"), Unchanged: orDefault(fields["unchanged"], "")}
	if fields["success"] != "" && d.URL.IPv4+d.URL.IPv6+d.URL.Both == "" {
		problem("url", "missing")
	}
	for _, f := range d.compile() {
		problems = append(problems, FieldProblem{genericKey(f.Key), f.Message})
	}
	return &d, problems
}

// basicMeant: credentials that no template mentions are for HTTP Basic.
func basicMeant(fields map[string]string) bool {
	if fields["username"] == "" && fields["password"] == "" {
		return false
	}
	for _, key := range []string{"url", "url_ipv6", "url_both", "body", "headers"} {
		if strings.Contains(fields[key], "{username") || strings.Contains(fields[key], "{password") {
			return false
		}
	}
	return true
}

func orDefault(pattern, other string) []string {
	if pattern == "" {
		pattern = other
	}
	if pattern == "" {
		return nil
	}
	return []string{pattern}
}

// genericKey maps a key of the file to that of the account.
func genericKey(key string) string {
	switch key {
	case "url.ipv4", "url":
		return "url"
	case "url.ipv6":
		return "url_ipv6"
	case "url.both":
		return "url_both"
	case "reply.updated":
		return "success"
	case "reply.unchanged":
		return "unchanged"
	case "hosts.zone":
		return "zone"
	}
	return strings.TrimPrefix(key, "request.")
}

// genericSecrets finds what users write into their own URLs, headers and
// bodies though it is secret: the values of a query, all but those that are
// plainly placeholders, and those of headers.
func genericSecrets(d *Definition, fields map[string]string) []string {
	if d.Name != "generic" {
		return nil
	}
	var secrets []string
	for _, key := range []string{"url", "url_ipv6", "url_both"} {
		_, query, _ := strings.Cut(fields[key], "?")
		for _, pair := range strings.Split(query, "&") {
			name, value, ok := strings.Cut(pair, "=")
			if !ok || strings.ContainsAny(value, "{}") || !secretName(name) {
				continue
			}
			secrets = append(secrets, value)
			if plain, err := url.QueryUnescape(value); err == nil {
				secrets = append(secrets, plain)
			}
		}
	}
	for _, h := range d.Request.Headers {
		if !strings.ContainsAny(h, "{}") {
			secrets = append(secrets, h)
			if _, token, ok := strings.Cut(h, " "); ok {
				secrets = append(secrets, token)
			}
		}
	}
	return secrets
}

// secretName reports whether a parameter of that name usually holds a secret.
func secretName(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"pass", "pw", "token", "key", "secret", "auth", "user", "login", "hash", "sign"},
		func(s string) bool { return strings.Contains(name, s) })
}
