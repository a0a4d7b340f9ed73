package importer

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// line writes a key and its value, which is in TOML.
func line(b *strings.Builder, key, value string) {
	b.WriteString(key)
	b.WriteString(" = ")
	b.WriteString(value)
	b.WriteByte('\n')
}

// tomlList writes a list of strings.
func tomlList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = config.Text(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// tomlSpan writes whole seconds as our configuration has durations: "1d12h".
func tomlSpan(d time.Duration) string {
	var b strings.Builder
	for _, u := range [...]struct {
		name string
		span time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := d / u.span; n > 0 || u.name == "s" && b.Len() == 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			d -= n * u.span
		}
	}
	return `"` + b.String() + `"`
}

// comment writes text as one comment line.
func comment(text string) string { return "# " + printable(text, 400) + "\n" }

// commentOut makes every line a comment.
func commentOut(text string) string {
	var b strings.Builder
	for _, line := range strings.SplitAfter(text, "\n") {
		if line == "" {
			break // after the last line
		}
		if !strings.HasPrefix(line, "#") && line != "\n" {
			b.WriteString("# ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// printable returns s on one line, with "?" for what is not printable, and at
// most limit characters of it.
func printable(s string, limit int) string {
	var b strings.Builder
	for _, r := range s {
		if limit--; limit < 0 {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// quote is how messages show a word of the file.
func quote(s string) string { return `"` + printable(s, 80) + `"` }

// tableName makes a name for a table of s: small letters, digits, "-".
func tableName(s string) string {
	var b strings.Builder
	for _, c := range []byte(strings.ToLower(s)) {
		switch {
		case isWordByte(c):
			b.WriteByte(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == 40 {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}
