package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// unescape decodes the inside of a "quoted" key.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	const names, values = `btnfre"\`, "\b\t\n\f\r\x1b\"\\"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		digits := 0
		switch s[i] {
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		}
		if n := strings.IndexByte(names, s[i]); n >= 0 {
			b.WriteByte(values[n])
		} else if end := i + 1 + digits; digits > 0 && end <= len(s) {
			code, err := strconv.ParseUint(s[i+1:end], 16, 32)
			if err != nil || code > utf8.MaxRune {
				code = utf8.RuneError
			}
			b.WriteRune(rune(code))
			i = end - 1
		}
	}
	return b.String()
}
