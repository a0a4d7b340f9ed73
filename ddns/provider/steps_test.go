package provider

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// stepProviders are all built-in providers of the family "steps", configured
// as their samples are, and the replies of their examples.
func stepProviders(f *testing.F) (providers []*Provider, replies [][]string) {
	c, errs := Open("")
	if len(errs) > 0 {
		f.Fatal(errs)
	}
	for _, name := range c.Names() {
		def, err := c.Lookup(name)
		if err != nil {
			f.Fatal(err)
		}
		if def.Family != "steps" {
			continue
		}
		acct := config.Provider{Name: name, Type: name, Fields: map[string]config.Secret{}}
		for key, value := range def.Sample.Config {
			if key == "server" {
				acct.Server = value
				continue
			}
			acct.Fields[key] = config.NewSecret(value)
		}
		p, problems := New(def, acct, Options{Version: "1.2.3"})
		if len(problems) > 0 {
			f.Fatal(name, problems)
		}
		text, err := os.ReadFile("catalogue/" + name + ".toml")
		if err != nil {
			f.Fatal(err)
		}
		full, errs := parseDefinition(name, name, text)
		if len(errs) > 0 {
			f.Fatal(errs)
		}
		var all []string
		for _, ex := range full.Examples {
			all = append(all, ex.Reply)
			for _, one := range ex.Exchanges {
				all = append(all, one.Reply)
			}
		}
		providers, replies = append(providers, p), append(replies, all)
	}
	return providers, replies
}

// FuzzSteps: whatever a provider answers to each step, the outcome's text is
// harmless, and nothing of the answer leads the next request to another host,
// or puts a second one behind it.
func FuzzSteps(f *testing.F) {
	providers, replies := stepProviders(f)
	for i, all := range replies {
		for _, reply := range all {
			f.Add(uint8(i), uint8(len(reply)), 200, reply)
		}
		f.Add(uint8(i), uint8(0), 404, "\x00\r\n\r\nGET / HTTP/1.1")
	}
	actions := []struct{ action, kind, want, more string }{
		{"update", "A", "203.0.113.7", ""}, {"update", "AAAA", "2001:db8::7", ""}, {"update", "CNAME", "home.ddns.net", ""}, {"remove", "A", "", ""}, {"remove", "AAAA", "", ""},
		{"update", "A", "203.0.113.7", "203.0.113.8 203.0.113.9"}, {"remove", "A", "", "203.0.113.8"},
	}
	f.Fuzz(func(t *testing.T, which, what uint8, status int, reply string) {
		p := providers[int(which)%len(providers)]
		a := actions[int(what)%len(actions)]
		u := Update{Hostname: "home.example.org", Family: config.IPv4, Published: addrsOf("198.51.100.5")}
		if a.more != "" {
			u.Addr, u.More, u.Published = wanted, addrsOf(a.more), addrsOf("198.51.100.5 198.51.100.4 203.0.113.9")
		}
		if a.kind == "AAAA" {
			u.Family = config.IPv6
		}
		r := p.newRun(u, a.action, a.kind, a.want)
		resp := &response{status: status, header: map[string]string{}, body: reply[:min(len(reply), maxListBody)]}
		page := isHTML(resp.body)
		for i := range r.d.Steps {
			s := &r.d.Steps[i]
			if s.Walk {
				r.vars["zone"] = "example.org"
			}
			r.applies(s)
			if req, err := r.request(s); err == nil {
				checkRequest(t, p, req)
			}
			subject := newSubject(resp.status, resp.body, r.value)
			subject.form = s.Reads
			matchAny(s.form.missing, subject, page)
			matchAny(r.d.forms.forgetOn, subject, page)
			v := r.verdict(s, resp, subject, page)
			v.words = r.words(s, resp)
			checkText(t, r.d.outcome(v, resp, time.Unix(1e9, 0), r.masker))
			tree, err := r.tree(s, resp)
			if err != nil || tree == nil {
				continue
			}
			for _, pick := range s.form.pick {
				if text := pick.path.text(tree, r.value); text != "" {
					r.pick(pick.name, text)
				}
			}
			r.turnPage(s, tree, 1)
			if s.hasRecords() {
				if o := r.choose(s, flat(s.form.list.find(tree, r.value))); o != nil {
					checkText(t, *o)
				}
				checkText(t, Outcome{Class: Updated, Text: r.warning})
				for _, c := range r.changes[:min(len(r.changes), 5)] {
					r.action, r.want = c.action, c.want
					if o := r.take(s, c.record); o != nil {
						checkText(t, *o)
					}
					for j := range r.d.Steps {
						if next := &r.d.Steps[j]; r.applies(next) {
							if req, err := r.request(next); err == nil {
								checkRequest(t, p, req)
							}
						}
					}
				}
				r.action, r.want = a.action, a.want
			}
		}
	})
}

func checkText(t *testing.T, o Outcome) {
	t.Helper()
	if hasControl(o.Text) || len([]rune(o.Text)) > maxText || o.Class == "" || o.Wait < 0 || o.Wait > maxWait {
		t.Errorf("%+v", o)
	}
}

// checkRequest: the host is one that the file names, and there are no lines in
// the head but our own.
func checkRequest(t *testing.T, p *Provider, req *request) {
	t.Helper()
	known := false
	for _, step := range p.def.Steps {
		for _, url := range []string{step.URL, step.Records.Each} {
			_, rest, _ := strings.Cut(url, "://")
			host, _, _ := strings.Cut(rest, "/")
			known = known || host == req.authority() || strings.HasPrefix(url, "{server}") && strings.HasSuffix(p.server, "://"+req.authority())
		}
	}
	if !known {
		t.Errorf("a request to %s", req.origin())
	}
	head, _, _ := strings.Cut(string(req.bytes()), "\r\n\r\n")
	if lines := strings.Count(head, "\r\n"); lines > len(req.header)+4 || strings.ContainsAny(strings.ReplaceAll(head, "\r\n", ""), "\r\n\x00") {
		t.Errorf("%d lines, %d headers: %q", lines, len(req.header), head)
	}
}
