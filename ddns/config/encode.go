package config

import (
	"strings"
	"unicode"
)

// Text writes s as a TOML string on one line that means exactly s, which must
// be UTF-8.
func Text(s string) string {
	plain := !strings.ContainsFunc(s, unicode.IsControl)
	if plain && !strings.ContainsAny(s, `"\`) {
		return `"` + s + `"`
	}
	if plain && !strings.Contains(s, "'") {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsControl(r): // U+009F at most
			const hex = "0123456789abcdef"
			b.WriteString(`\u00` + string(hex[r>>4&15]) + string(hex[r&15]))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
