package provider

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"sort"
	"strings"
	"unicode/utf8"
)

// masked stands for a secret in everything that people see.
const masked = "***"

// maxText bounds text from a peer, in characters.
const maxText = 200

// masker takes secrets out of text, in every form in which a request or an
// answer to it may have them.
type masker struct {
	forms []string // longest first, so that no part of one is left over
}

// newMasker makes a masker for the secrets and the Basic credentials.
func newMasker(secrets []string, basic ...string) masker {
	seen := map[string]bool{}
	add := func(s string) {
		if s != "" {
			seen[s] = true
		}
	}
	for _, s := range secrets {
		if s == "" {
			continue
		}
		add(s)
		add(url.QueryEscape(s))
		add(url.PathEscape(s))
		add(strings.ToLower(url.QueryEscape(s)))
		add(escapeURL("", s))
		add(strings.ToLower(escapeURL("", s)))
		add(escapeJSON("", s))
		add(escapeXML("", s))
		add(strings.ToLower(s))
		add(strings.ToUpper(s))
		for _, name := range []string{"md5", "sha1", "base64"} {
			add(transform(name, s))
		}
		add(base64.URLEncoding.EncodeToString([]byte(s)))
		add(strings.Trim(fmt.Sprintf("%q", s), `"`))
	}
	for _, s := range basic {
		add(base64.StdEncoding.EncodeToString([]byte(s)))
	}
	forms := keysOf(seen)
	sort.Slice(forms, func(i, j int) bool {
		if len(forms[i]) != len(forms[j]) {
			return len(forms[i]) > len(forms[j])
		}
		return forms[i] < forms[j]
	})
	return masker{forms}
}

// mask replaces each secret in s.
func (m masker) mask(s string) string {
	for _, form := range m.forms {
		s = strings.ReplaceAll(s, form, masked)
	}
	return s
}

// peer makes text of a peer fit to be shown: secrets masked, quoted, control
// and invalid characters escaped, at most maxText characters.
func (m masker) peer(s string) string {
	s = m.mask(s)
	var b strings.Builder
	b.WriteByte('"')
	for n := 2; s != ""; {
		r, size := utf8.DecodeRuneInString(s)
		var piece string
		switch {
		case r == utf8.RuneError && size <= 1:
			piece = fmt.Sprintf(`\x%02x`, s[0])
		case r == '"' || r == '\\':
			piece = `\` + string(r)
		case r == '\n':
			piece = `\n`
		case r == '\r':
			piece = `\r`
		case r == '\t':
			piece = `\t`
		case r < ' ' || r == 0x7f:
			piece = fmt.Sprintf(`\x%02x`, r)
		case !printable(r):
			piece = fmt.Sprintf(`\u%04x`, r)
		default:
			piece = string(r)
		}
		n += utf8.RuneCountInString(piece)
		if n > maxText-1 {
			b.WriteString("…")
			break
		}
		b.WriteString(piece)
		s = s[size:]
	}
	b.WriteByte('"')
	return b.String()
}

// own bounds text of our own.
func (m masker) own(s string) string {
	s = m.mask(s)
	s = strings.Map(func(r rune) rune {
		if r < ' ' || !printable(r) {
			return '?'
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > maxText {
		s = string([]rune(s)[:maxText-1]) + "…"
	}
	return s
}

// printable reports whether r shows as itself and moves nothing: no control
// characters of Unicode, and none that reverse or hide text.
func printable(r rune) bool {
	switch {
	case r >= 0x7f && r <= 0xa0, r == 0xad, r == 0x061c, r == 0xfeff,
		r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f,
		r >= 0xfff0 && r <= 0xfffb, r >= 0xe0000:
		return false
	}
	return true
}
