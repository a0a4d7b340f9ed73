package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/wanbeacon/wanbeacon/ipk/internal/jsmin"
	"github.com/wanbeacon/wanbeacon/ipk/internal/lmo"
)

// serviceUser is created at installation. Its number is fixed, so that the
// configuration still belongs to it after a new firmware has been flashed.
const serviceUser = "wanbeacon=2136:wanbeacon=2136"

const (
	configPath = "/etc/wanbeacon/config.toml"
	binaryPath = "/usr/sbin/wanbeacon"
)

// source is a copy of the project's files, and what is common to all packages.
type source struct {
	root    string // the project's folder
	bin     string // with a folder for each target
	version string // of the packages: the program's and the release
	epoch   int64
}

// daemon is package wanbeacon for one architecture.
func (s *source) daemon(a architecture) (*pkg, error) {
	p := &pkg{
		name: "wanbeacon", version: s.version, arch: a.name, epoch: s.epoch, user: serviceUser,
		description: "Dynamic DNS daemon that follows the WAN address through netlink\n" +
			"A new address reaches your DNS provider within milliseconds; nothing is sent while nothing changes.",
		depends:   []string{"ca-bundle"},
		conffiles: []string{configPath},
	}
	var err error
	if p.entries, err = tree(filepath.Join(s.root, "ipk/files"), "/"); err != nil {
		return nil, err
	}
	binary, err := os.ReadFile(filepath.Join(s.bin, a.target, "wanbeacon"))
	if err != nil {
		return nil, err
	}
	config, err := s.config()
	if err != nil {
		return nil, err
	}
	p.entries = append(p.entries,
		entry{path: binaryPath, kind: kindFile, mode: 0o755, content: binary},
		entry{path: configPath, kind: kindFile, mode: 0o600, content: config})
	if p.scripts, err = s.scripts("wanbeacon"); err != nil {
		return nil, err
	}
	return p, p.arrange()
}

// config is the project's config.toml with the one line that is different on a
// router, where /var is memory.
func (s *source) config() ([]byte, error) {
	const generic, router = "\n#state_dir = \"/var/lib/wanbeacon\"\n", "\nstate_dir = \"/etc/wanbeacon/state\"\n"
	text, err := os.ReadFile(filepath.Join(s.root, "config.toml"))
	if err != nil {
		return nil, err
	}
	if bytes.Count(text, []byte(generic)) != 1 {
		return nil, fmt.Errorf("config.toml: the line %s is not there once", strings.TrimSpace(generic))
	}
	return bytes.Replace(text, []byte(generic), []byte(router), 1), nil
}

// luci is package luci-app-wanbeacon. luci/ is laid out as LuCI's own
// applications are.
func (s *source) luci() (*pkg, error) {
	p := &pkg{
		name: "luci-app-wanbeacon", version: s.version, arch: "all", epoch: s.epoch,
		description: "LuCI page for wanbeacon, the dynamic DNS daemon",
		depends:     []string{"luci-base", "wanbeacon"},
	}
	dir := filepath.Join(s.root, "ipk/luci")
	for from, to := range map[string]string{"htdocs": "/www", "root": "/"} {
		entries, err := tree(filepath.Join(dir, from), to)
		if err != nil {
			return nil, err
		}
		for i, e := range entries {
			if path.Ext(e.path) != ".js" {
				continue
			}
			script, err := jsmin.Strip(string(e.content))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.path, err)
			}
			entries[i].content = []byte(script)
		}
		p.entries = append(p.entries, entries...)
	}
	texts, err := translations(filepath.Join(dir, "po"))
	if err != nil {
		return nil, err
	}
	p.entries = append(p.entries, texts...)
	if p.scripts, err = s.scripts(p.name); err != nil {
		return nil, err
	}
	return p, p.arrange()
}

// hasLuci tells whether there is a page to pack.
func (s *source) hasLuci() bool {
	_, err := os.Stat(filepath.Join(s.root, "ipk/luci/root"))
	return err == nil
}

// luciLanguage are the languages that LuCI calls otherwise than their folder.
var luciLanguage = map[string]string{"zh_Hans": "zh-cn", "zh_Hant": "zh-tw", "pt_BR": "pt-br", "nb_NO": "no", "bn_BD": "bn"}

// translations are the .lmo files made from po/LANGUAGE/NAME.po.
func translations(dir string) ([]entry, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.po"))
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		content, n, err := lmo.Convert(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		if n == 0 {
			continue
		}
		lang := filepath.Base(filepath.Dir(f))
		if alias, ok := luciLanguage[lang]; ok {
			lang = alias
		}
		name := strings.TrimSuffix(filepath.Base(f), ".po") + "." + lang + ".lmo"
		out = append(out, entry{path: "/usr/lib/lua/luci/i18n/" + name, kind: kindFile, mode: 0o644, content: content})
	}
	return out, nil
}

// scripts reads a package's own scripts, without their first lines.
func (s *source) scripts(name string) (out scripts, err error) {
	for file, into := range map[string]*string{"postinst": &out.postinst, "postrm": &out.postrm} {
		text, err := os.ReadFile(filepath.Join(s.root, "ipk/scripts", name, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return out, err
		}
		first, rest, _ := strings.Cut(string(text), "\n")
		if first != "#!/bin/sh" || !strings.HasSuffix(rest, "\n") {
			return out, fmt.Errorf("ipk/scripts/%s/%s: not lines behind #!/bin/sh", name, file)
		}
		*into = rest
	}
	return out, nil
}

// tree reads a folder as what it is to be under to: files with the mode 0755
// when they can be executed, 0644 otherwise, whatever the umask made of them
// here.
func tree(dir, to string) ([]entry, error) {
	var out []entry
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		e := entry{path: path.Join(to, filepath.ToSlash(rel)), kind: kindFile, mode: 0o644}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			e.kind, e.mode = kindLink, 0o777
			e.target, err = os.Readlink(name)
		case info.Mode().IsRegular():
			if info.Mode()&0o100 != 0 {
				e.mode = 0o755
			}
			e.content, err = os.ReadFile(name)
		default:
			err = fmt.Errorf("%s: neither a file nor a link", name)
		}
		out = append(out, e)
		return err
	})
	return out, err
}
