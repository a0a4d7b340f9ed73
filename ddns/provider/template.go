package provider

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/json"
	"github.com/wanbeacon/wanbeacon/ddns/replace"
)

// template is text with placeholders: "…?hostname={hostname}&pw={password|md5}".
// A "{" that begins no placeholder stands for itself, so that JSON bodies need
// no escapes.
type template struct {
	parts []part
}

// part is literal text (key "") or a placeholder.
type part struct {
	text  string
	key   string
	apply []string // transforms, in order
}

// transforms are what may follow a "|" in a placeholder. They see the plain
// value; the escaping that the place needs comes after them.
const transforms words = " md5 sha1 base64 lower raw "

// transform applies one of them.
func transform(name, s string) string {
	switch name {
	case "md5":
		h := md5.Sum([]byte(s))
		return hex.EncodeToString(h[:])
	case "sha1":
		return sha1Hex(s)
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(s))
	case "lower":
		return strings.ToLower(s)
	}
	return s // raw, and not escaped: for what a provider's answer has ready
}

// words is a set of words, with a blank before and after each one. A map would
// be made by code.
type words string

func (w words) has(word string) bool {
	return word != "" && !strings.Contains(word, " ") && strings.Contains(string(w), " "+word+" ")
}

// builtinKeys are the placeholders that are not fields of the account.
const builtinKeys words = " hostname hostnames name names zone apex ipv4 ipv6 address type ttl ttl_minutes version os arch server further further_ipv4 further_ipv6 "

// parseTemplate reads text. Each placeholder must satisfy known; a brace that
// looks like one but does not is an error, as it is a misspelling.
func parseTemplate(text string, known func(key string) bool) (template, error) {
	var t template
	literal := func(s string) {
		if n := len(t.parts); n > 0 && t.parts[n-1].key == "" {
			t.parts[n-1].text += s
		} else if s != "" {
			t.parts = append(t.parts, part{text: s})
		}
	}
	for text != "" {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			break
		}
		literal(text[:open])
		text = text[open:]
		end := strings.IndexByte(text, '}')
		if end < 0 || !isPlaceholder(text[1:end]) {
			literal("{")
			text = text[1:]
			continue
		}
		names := strings.Split(text[1:end], "|")
		if !known(names[0]) {
			return template{}, fmt.Errorf("there is no placeholder {%s}", names[0])
		}
		for _, name := range names[1:] {
			if !transforms.has(name) {
				return template{}, fmt.Errorf("{%s}: there is no transform %q (there are md5, sha1, base64, lower, raw)", text[1:end], name)
			}
		}
		t.parts = append(t.parts, part{key: names[0], apply: names[1:]})
		text = text[end+1:]
	}
	literal(text)
	return t, nil
}

// isPlaceholder reports whether s, from between two braces, has the form
// key|transform|… with keys of small letters, digits and "_".
func isPlaceholder(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z'
		if i == 0 && !letter {
			return false
		}
		if !letter && !('0' <= c && c <= '9') && c != '_' && c != '|' {
			return false
		}
	}
	return s != ""
}

// hidden is a value that is to be shown as masked, whatever its transforms.
const hidden = "\x00hidden"

// expand fills in the placeholders. Values go through their transforms, then
// through escape, which is given the key too.
func (t template) expand(value func(key string) string, escape func(key, value string) string) string {
	var b strings.Builder
	b.Grow(128) // most need not grow again
	for _, p := range t.parts {
		if p.key == "" {
			b.WriteString(p.text)
			continue
		}
		v := value(p.key)
		if v == hidden {
			b.WriteString(masked)
			continue
		}
		raw := false
		for _, name := range p.apply {
			v, raw = transform(name, v), name == "raw"
		}
		if !raw {
			v = escape(p.key, v)
		}
		b.WriteString(v)
	}
	return b.String()
}

// uses reports whether one of the keys is among the placeholders.
func (t template) uses(keys ...string) bool {
	for _, p := range t.parts {
		for _, k := range keys {
			if p.key == k && k != "" {
				return true
			}
		}
	}
	return false
}

// empty reports whether there is no text at all.
func (t template) empty() bool { return len(t.parts) == 0 }

// escapeNone is for headers and credentials.
func escapeNone(_, value string) string { return value }

// escapeURL encodes for the path or the query of a URL. In values of our own
// making (hostnames, addresses) the characters that RFC 3986 section 3.4
// allows there stay readable; in the user's nothing but letters, digits and
// "-._~" does.
func escapeURL(key, value string) string {
	if builtinKeys.has(key) {
		return escapeOwn(key, value)
	}
	return escapeBut("-._~", value)
}

// escapeOwn is escapeURL for values of our own making.
func escapeOwn(_, value string) string { return escapeBut("-._~:@,*", value) }

func escapeBut(allowed, value string) string {
	const digits = "0123456789ABCDEF"
	var b []byte // nil as long as nothing was to be escaped
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch plain := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(allowed, c) >= 0; {
		case plain && b != nil:
			b = append(b, c)
		case !plain:
			if b == nil {
				b = append(make([]byte, 0, 3*len(value)), value[:i]...)
			}
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	if b == nil {
		return value
	}
	return string(b)
}

// escapeJSON encodes for the inside of a JSON string (RFC 8259 section 7).
func escapeJSON(_, value string) string {
	quoted := json.AppendQuoted(nil, value)
	return string(quoted[1 : len(quoted)-1])
}

// escapeXML encodes for text and attributes of XML.
func escapeXML(_, value string) string {
	return replace.All(value, "&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")
}

// bodyEscape returns the escaping that a body of that content type needs.
func bodyEscape(contentType string) func(key, value string) string {
	t := strings.ToLower(contentType)
	switch {
	case strings.Contains(t, "json"):
		return escapeJSON
	case strings.Contains(t, "x-www-form-urlencoded"):
		return escapeURL
	case strings.Contains(t, "xml"):
		return escapeXML
	}
	return escapeNone
}
