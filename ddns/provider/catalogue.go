package provider

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// builtinText is the files in catalogue/, each after a line "#NAME", without
// what only readers and tests need; `make catalogue` makes it.
//
//go:embed builtin.txt
var builtinText string

// Catalogue is the providers that there are: ours and the user's. Files are
// read when they are looked up; nothing is kept but the names.
type Catalogue struct {
	user map[string]string // name to path, of the files in the user's directory
}

// maxFile bounds a catalogue file, in bytes.
const maxFile = 256 << 10

// Open lists the user's definitions in dir, which take the place of built-in
// ones of the same name; "" or a directory that does not exist: none. The
// errors, "PATH:LINE: message", are of the user's files that are broken: those
// are left out, and what they would have replaced stays.
func Open(dir string) (*Catalogue, []error) {
	c := &Catalogue{user: map[string]string{}}
	if dir == "" {
		return c, nil
	}
	files, err := namesIn(dir)
	if err != nil {
		if os.IsNotExist(err) {
			return c, nil
		}
		return c, []error{err}
	}
	var broken []error
	for _, file := range files {
		path := filepath.Join(dir, file)
		name, ok := strings.CutSuffix(file, ".toml")
		if info, err := os.Stat(path); !ok || strings.HasPrefix(name, ".") || err == nil && info.IsDir() {
			continue
		}
		if !validName(name) {
			broken = append(broken, config.Problem{Path: path, Message: "the file's name is the provider's: small letters, digits, \"-\" and \"_\""})
			continue
		}
		if _, errs := readFile(name, path); len(errs) > 0 {
			broken = append(broken, errs...)
			continue
		}
		c.user[name] = path
	}
	return c, broken
}

// namesIn returns what is in a directory, sorted: os.ReadDir without its 4 kB.
func namesIn(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	sort.Sort(sort.StringSlice(names)) // slices.Sort and sort.Strings would be 8 kB of code
	return names, err
}

// Names returns the names of all providers, sorted.
func (c *Catalogue) Names() []string {
	seen := map[string]bool{}
	for name := range c.user {
		seen[name] = true
	}
	for _, name := range builtinNames() {
		seen[name] = true
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	sort.Sort(sort.StringSlice(names))
	return names
}

// Lookup reads one definition. Those built in have no examples here. The error says what is wrong with a user's
// file that has been changed since Open, or that there is no such provider
// and which name is near.
func (c *Catalogue) Lookup(name string) (*Definition, error) {
	if path, ok := c.user[name]; ok {
		def, errs := readFile(name, path)
		if len(errs) > 0 {
			return nil, errs[0]
		}
		return def, nil
	}
	text, ok := builtinFile(name)
	if !ok {
		message := fmt.Sprintf("there is no provider %q", name)
		if near := config.Nearest(name, c.Names()); near != "" {
			message += fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, fmt.Errorf("%s (`wanbeacon providers` lists all)", message)
	}
	def, errs := parseDefinition(name, "built-in/"+name+".toml", []byte(text))
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return def, nil
}

func builtinNames() []string {
	var names []string
	line, rest := "", builtinText
	for rest != "" {
		line, rest, _ = strings.Cut(rest, "\n")
		if name, ok := strings.CutPrefix(line, "#"); ok {
			names = append(names, name)
		}
	}
	return names
}

// builtinFile finds the text of a built-in definition.
func builtinFile(name string) (text string, ok bool) {
	if !validName(name) {
		return "", false
	}
	head := "#" + name + "\n"
	text, ok = strings.CutPrefix(builtinText, head)
	if !ok {
		_, text, ok = strings.Cut(builtinText, "\n"+head)
	}
	text, _, _ = strings.Cut(text, "\n#")
	return text, ok
}

// readFile reads and parses a user's file.
func readFile(name, path string) (*Definition, []error) {
	if st, err := os.Stat(path); err == nil && st.Size() > maxFile {
		return nil, []error{config.Problem{Path: path, Message: fmt.Sprintf("larger than %d bytes", maxFile)}}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, []error{err}
	}
	return parseDefinition(name, path, text)
}

func validName(name string) bool {
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return name != ""
}
