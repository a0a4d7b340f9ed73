package provider

import (
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	value := func(key string) string {
		return map[string]string{"ipv4": "203.0.113.7", "hostname": "Home.example.org", "address": "203.0.113.7"}[key]
	}
	for _, c := range []struct {
		pattern string
		status  int
		body    string
		want    bool
	}{
		{"good", 200, "good", true},
		{"good", 200, " GOOD\r\n", true},
		{"good", 200, "good 1", false},
		{"good*", 200, "goodbye", true},
		{"word good", 200, "good 203.0.113.7", true},
		{"word good", 200, "goodbye", false},
		{"word good", 200, "not good", false},
		{"word w*s", 200, "w60s please", true},
		{"*", 200, "", true},
		{"a*b*c", 200, "a--b--b--c", true},
		{"a*b*c", 200, "a--c--b", false},
		{"ab*ba", 200, "aba", false},
		{"OK*UPDATED", 200, "OK\n203.0.113.7\n\nUPDATED", true},
		{"*{ipv4}*", 200, "your address 203.0.113.7 was set", true},
		{"*{ipv4}*", 200, "your address 203x0x113x7 was set", false},
		{"*{ipv6}*", 200, "anything", false},
		{"{hostname} ok", 200, "home.EXAMPLE.org OK", true},
		{`\*\{x\}`, 200, "*{x}", true},
		{`{"ok":true}`, 200, `{"ok":true}`, true},
		{"status 401", 401, "x", true},
		{"status 4xx", 429, "x", true},
		{"status 4xx", 500, "x", false},
		{"empty", 200, " \n", true},
		{"empty", 200, "x", false},
		{"status 200 && *done*", 200, "is done", true},
		{"status 200 && *done*", 201, "is done", false},
		{"*a* || *b*", 200, "b", true},
		{"json success = true", 200, `{"success":true}`, true},
		{"json success = true", 200, `{"success":"TRUE"}`, true},
		{"json success = true", 200, `success = true`, false},
		{"json errors.0.code = 1004", 200, `{"errors":[{"code":1004}]}`, true},
		{"json errors.1.code = 1004", 200, `{"errors":[{"code":1004}]}`, false},
		{"json errors.-1.code", 200, `{"errors":[{"code":1004}]}`, false},
		{"json message = *not found*", 200, `{"message":"Zone NOT FOUND."}`, true},
		{"json id", 200, `{"id":{}}`, true},
		{"json id", 200, `{"id":null}`, false},
		{"json code != 0", 200, `{"code":7}`, true},
		{"json code != 0", 200, `{"code":0}`, false},
		{"json code != 0", 200, `{}`, true},
		{"json code != 0", 200, `<html>`, false},
		{"json n = 12345678901234567890", 200, `{"n":12345678901234567890}`, true},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := p.match(newSubject(c.status, c.body, value)); got != c.want {
			t.Errorf("%q on %d %q: %v", c.pattern, c.status, c.body, got)
		}
	}
}

func TestBadPatterns(t *testing.T) {
	for _, text := range []string{"", "status 4", "status abc", "json a b = c", "json = c", `a\`, "{ip4}", "a &&  && b", "a || "} {
		if _, err := parsePattern(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// TestDeepJSON: nesting neither crashes nor takes long.
func TestDeepJSON(t *testing.T) {
	p, err := parsePattern("json a.b = 1")
	if err != nil {
		t.Fatal(err)
	}
	deep := strings.Repeat(`{"a":`, maxBody/5)
	if p.match(newSubject(200, deep, func(string) string { return "" })) {
		t.Error("it matched")
	}
}

func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{{"good*", "good 1"}, {"json a.0 = *", `{"a":[1]}`}, {"a*b*{ipv4}", "ab"}, {"status 2xx && word ok", "ok"}, {`\**`, "*"}} {
		f.Add(seed[0], seed[1], 200)
	}
	f.Fuzz(func(t *testing.T, text, body string, status int) {
		p, err := parsePattern(text)
		if err != nil {
			return
		}
		p.match(newSubject(status, body, func(key string) string { return key }))
		p.onStatus()
		// A body without special characters is matched by itself.
		if lower := strings.ToLower(strings.TrimSpace(body)); lower != "" && !strings.ContainsAny(lower, "\\*{&|") {
			if self, err := parseGlob(body); err == nil && !globMatch(self, strings.ToLower(body), func(string) string { return "" }) {
				t.Errorf("%q does not match itself", body)
			}
		}
	})
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"https://a.example/{hostname}?{password|md5}", `{"a":"{ipv4}"}`, "{", "}{", "{a|}", "{password|lower|sha1}"} {
		f.Add(seed, `se"c/r&e t`)
	}
	f.Fuzz(func(t *testing.T, text, secret string) {
		tmpl, err := parseTemplate(text, func(key string) bool { return builtinKeys.has(key) || key == "password" })
		if err != nil {
			return
		}
		url := tmpl.expand(func(string) string { return secret }, escapeURL)
		plain := tmpl.expand(func(string) string { return "" }, escapeURL)
		if strings.ContainsAny(strings.ReplaceAll(url, plain, ""), " \"\r\n") && !strings.ContainsAny(text, " \"\r\n") {
			t.Errorf("%q is no part of a URL", url)
		}
		if strings.ContainsAny(tmpl.expand(func(string) string { return secret }, escapeXML), "<>") && !strings.ContainsAny(text, "<>") {
			t.Error("XML")
		}
		shown := tmpl.expand(func(string) string { return hidden }, escapeURL)
		if strings.Contains(shown, "\x00") && !strings.Contains(text, "\x00") {
			t.Errorf("%q", shown)
		}
	})
}
