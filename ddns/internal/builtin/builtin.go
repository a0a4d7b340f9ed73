// Package builtin makes of the catalogue's files what the program carries: one
// text without comments, examples and reasons for missing ones, which are for
// readers and tests, and would take up a third of a router's flash.
//
//	text, err := builtin.Text("ddns/provider/catalogue")
package builtin

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Text returns all files of the directory; each begins with a line "#NAME".
// Those of one family are together, by length: what is alike must be within
// 32 kB for gzip to find it, which is 3 kB less flash than by name.
func Text(dir string) (string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.toml"))
	if err != nil {
		return "", err
	}
	type file struct{ family, text string }
	var files []file
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		short, err := Compact(string(text))
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		_, family, _ := strings.Cut("\n"+short, "\nfamily=")
		family, _, _ = strings.Cut(family, "\n")
		files = append(files, file{family, "#" + strings.TrimSuffix(filepath.Base(path), ".toml") + "\n" + short})
	}
	sort.SliceStable(files, func(i, j int) bool {
		a, b := files[i], files[j]
		return a.family < b.family || a.family == b.family && len(a.text) < len(b.text)
	})
	var b strings.Builder
	for _, f := range files {
		b.WriteString(f.text)
	}
	return b.String(), nil
}

// Compact takes out of a file what only readers and tests need. What is left
// means the same.
func Compact(text string) (string, error) {
	lines, err := logicalLines(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	skip := false
	for _, line := range lines {
		if line[0] == '[' {
			name := strings.Trim(line, "[]")
			table, _, _ := strings.Cut(name, ".")
			skip = table == "example" || table == "missing"
		}
		if skip {
			continue
		}
		if strings.Contains(line, "\n#") {
			return "", fmt.Errorf("a text has a line that begins with %q: %s", "#", line)
		}
		b.WriteString(line + "\n")
	}
	return b.String(), nil
}

// logicalLines cuts TOML into keys with their values and table headers,
// without comments and blanks outside of strings.
func logicalLines(text string) ([]string, error) {
	var lines []string
	var line strings.Builder
	depth := 0 // of brackets
	for text != "" {
		switch c := text[0]; c {
		case '"', '\'':
			n, err := stringLength(text)
			if err != nil {
				return nil, err
			}
			line.WriteString(text[:n])
			text = text[n:]
			continue
		case '#':
			end := strings.IndexByte(text, '\n')
			if end < 0 {
				end = len(text)
			}
			text = text[end:]
			continue
		case ' ', '\t', '\r':
		case '\n':
			if depth == 0 && line.Len() > 0 {
				lines = append(lines, line.String())
				line.Reset()
			}
		default:
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth--
			}
			line.WriteByte(c)
		}
		text = text[1:]
	}
	if line.Len() > 0 {
		lines = append(lines, line.String())
	}
	return lines, nil
}

// stringLength is how long the string at the beginning of text is, quotes included.
func stringLength(text string) (int, error) {
	quote := text[:1]
	if strings.HasPrefix(text, quote+quote+quote) {
		quote = text[:3]
	}
	for i := len(quote); i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote[0] == '"':
			i++
		case strings.HasPrefix(text[i:], quote):
			return i + len(quote), nil
		}
	}
	return 0, fmt.Errorf("a string has no end: %.40s", text)
}
