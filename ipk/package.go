package main

import (
	"fmt"
	"path"
	"sort"
	"strings"
)

// pkg is a package before it has a form: what both kinds of package are made
// from, and what a package that was read back is held against.
type pkg struct {
	name, version, arch string // arch "all": every router
	description         string
	depends             []string
	user                string // Require-User: name=uid:group=gid
	entries             []entry
	conffiles           []string // paths of entries that belong to the router's owner
	scripts             scripts
	epoch               int64 // time stamp of all files, seconds
}

// scripts are what a package does beside what OpenWrt does for all: the text
// of shell scripts without their first line.
type scripts struct {
	postinst string // after installation and upgrade
	postrm   string // after removal; opkg also runs it in an upgrade
}

// Kinds of entries.
const (
	kindFile = '-'
	kindDir  = 'd'
	kindLink = 'l'
)

// entry is a file, directory or symbolic link on the router. All of them
// belong to root.
type entry struct {
	path    string // absolute
	kind    byte
	mode    uint32 // permissions
	content []byte
	target  string
}

func (e entry) String() string {
	s := fmt.Sprintf("%c%04o root:root %s", e.kind, e.mode, e.path)
	if e.kind == kindLink {
		s += " -> " + e.target
	}
	return s
}

const (
	licence    = "Apache-2.0"
	maintainer = "The wanbeacon authors"
	url        = "https://github.com/wanbeacon/wanbeacon"
	section    = "net"
)

// arrange adds the directories, sorts, and refuses what a package must not
// have.
func (p *pkg) arrange() error {
	seen := map[string]bool{}
	for _, e := range p.entries {
		switch {
		case seen[e.path]:
			return fmt.Errorf("%s: %s is there twice", p.name, e.path)
		case path.Clean(e.path) != e.path || !path.IsAbs(e.path):
			return fmt.Errorf("%s: %q is not a clean absolute path", p.name, e.path)
		case strings.ContainsFunc(e.path, func(r rune) bool { return r <= ' ' || r > '~' }):
			// The lists of files that the router keeps are split at spaces.
			return fmt.Errorf("%s: %q has other than printable ASCII", p.name, e.path)
		case e.mode&0o022 != 0 && e.kind != kindLink:
			return fmt.Errorf("%s: %s is writable by others", p.name, e.path)
		}
		seen[e.path] = true
	}
	for _, e := range p.entries {
		for d := path.Dir(e.path); d != "/" && !seen[d]; d = path.Dir(d) {
			seen[d] = true
			p.entries = append(p.entries, entry{path: d, kind: kindDir, mode: 0o755})
		}
	}
	sort.Slice(p.entries, func(i, j int) bool { return p.entries[i].path < p.entries[j].path })
	for _, c := range p.conffiles {
		if !seen[c] {
			return fmt.Errorf("%s: no %s, which is to be a conffile", p.name, c)
		}
	}
	return nil
}

// files are the paths of all but directories, as OpenWrt lists them.
func (p *pkg) files() []string {
	var out []string
	for _, e := range p.entries {
		if e.kind != kindDir {
			out = append(out, e.path)
		}
	}
	return out
}

func lines(s []string) []byte {
	if len(s) == 0 {
		return nil
	}
	return []byte(strings.Join(s, "\n") + "\n")
}
