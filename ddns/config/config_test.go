package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mustParse fails unless the text is right.
func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("config.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var defaultDaemon = Daemon{
	StateDir:     "/var/lib/wanbeacon",
	Socket:       "/var/run/wanbeacon.sock",
	LogLevel:     "info",
	ProvidersDir: "/etc/wanbeacon/providers.d",
	Timeout:      20 * time.Second,
}

func TestShortestFileHasTheDefaults(t *testing.T) {
	text := read(t, "testdata/shortest.toml")
	got := mustParse(t, text)
	got.doc = nil
	sum := sha256.Sum256([]byte(text))
	want := &Config{
		Path:     "config.toml",
		Revision: hex.EncodeToString(sum[:]),
		Daemon:   defaultDaemon,
		Sources:  []Source{{Name: "wan", Method: "auto", Interface: "auto"}},
		Providers: []Provider{{Name: "noip", Type: "noip", Fields: map[string]Secret{
			"username": NewSecret("abc123"), "password": NewSecret("secret"),
		}}},
		Records: []Record{{Hostname: "home.ddns.net", Provider: "noip", Source: "wan", Families: []Family{IPv4}, Enabled: true}},
		Verify:  Verify{Enabled: true, Interval: 10 * time.Minute},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestNobodyIsAskedForTheSakeOfNoRecord: the default source asks beyond this
// router only if a record, or what has no record yet, may want to know.
func TestNobodyIsAskedForTheSakeOfNoRecord(t *testing.T) {
	const fixed = "[provider.noip]\nusername = \"a\"\npassword = \"b\"\n[source.fixed]\nmethod = \"static\"\nipv4 = \"192.0.2.7\"\n"
	for text, want := range map[string]string{
		"":    "auto",
		fixed: "auto",
		fixed + "[source.wan]\n[[record]]\nhostname = \"home.ddns.net\"\nprovider = \"noip\"\nsource = \"fixed\"\n": "auto",
		fixed + "[[record]]\nhostname = \"home.ddns.net\"\nprovider = \"noip\"\nsource = \"fixed\"\n":               "interface",
		fixed + "[[record]]\nhostname = \"home.ddns.net\"\nprovider = \"noip\"\nsource = [\"fixed\", \"wan\"]\n":    "auto",
		fixed + "[[record]]\nhostname = \"home.ddns.net\"\nprovider = \"noip\"\n":                                   "auto",
	} {
		for _, s := range mustParse(t, text).Sources {
			if s.Name == "wan" && s.Method != want {
				t.Errorf("%s: %s", text, s.Method)
			}
		}
	}
}

func TestEveryKeyArrives(t *testing.T) {
	text := read(t, "testdata/full.toml")
	want := &Config{
		Path: "config.toml",
		Daemon: Daemon{
			StateDir: "/etc/wanbeacon/state",
			Socket:   "/run/wanbeacon.sock",
			LogLevel: "debug",
			Timeout:  90 * time.Second,
		},
		Sources: []Source{
			{Name: "wan", Method: "interface", Interface: "pppoe-wan", AllowPrivate: true},
			{Name: "fixed", Method: "static", IPv4: netip.MustParseAddr("203.0.113.5"), IPv6: netip.MustParseAddr("2001:db8::5")},
			{Name: "script", Method: "command", Command: []string{"/usr/bin/my-address", "-4"}},
			{Name: "spare", Method: "auto", Interface: "auto"},
		},
		Providers: []Provider{
			{Name: "noip", Type: "noip", Fields: map[string]Secret{
				"username": NewSecret("abc123"), "password": NewSecret("secret"),
			}},
			{
				Name: "self-hosted_2", Type: "dyndns2", Server: "http://dyn.example.net", InsecureHTTP: true,
				Bind: "eth1", ForceInterval: 30 * day,
				Fields: map[string]Secret{
					"account": NewSecret("0x1F"), "retries": NewSecret("1_000"), "ratio": NewSecret("1.50"), "proxied": NewSecret("true"),
					"odd key": NewSecret(""), "pem": NewSecret("-----BEGIN X-----\n-----END X-----\n"),
				},
			},
			{Name: "never", Type: "never", Fields: map[string]Secret{}},
		},
		Records: []Record{
			{Index: 0, Hostname: "home.ddns.net", Provider: "noip", Source: "wan", Families: []Family{IPv4}, Enabled: true},
			{
				Index: 1, Hostname: "*._x.example.net", Provider: "self-hosted_2", Source: "fixed", Families: []Family{IPv6, IPv4},
				TTL: 36 * time.Hour, OnChange: []string{"/etc/wanbeacon/changed", "", "a b"}, RemoveOnExit: true,
			},
		},
		Verify: Verify{Interval: 10 * time.Minute},
	}
	for name, text := range map[string]string{
		"as it is":             text,
		"Windows line ends":    strings.ReplaceAll(text, "\n", "\r\n"),
		"byte order mark":      "\ufeff" + text,
		"no line end":          strings.TrimSuffix(text, "\n"),
		"a comment at the end": text + "# the end",
	} {
		t.Run(name, func(t *testing.T) {
			got := mustParse(t, text)
			for _, key := range []string{"record[1].ttl", "provider.never"} {
				if line := got.Problem(key, "").Line; line != 1+strings.Count(text[:strings.Index(text, map[string]string{
					"record[1].ttl": "ttl ", "provider.never": "[provider.never]"}[key])], "\n") {
					t.Errorf("%s is on line %d", key, line)
				}
			}
			sum := sha256.Sum256([]byte(text))
			if got.Revision != hex.EncodeToString(sum[:]) {
				t.Errorf("revision %s", got.Revision)
			}
			got.doc, got.Revision = nil, ""
			if name == "Windows line ends" { // they are part of a string of several lines
				got.Providers[1].Fields["pem"] = NewSecret(strings.ReplaceAll(got.Providers[1].Fields["pem"].Reveal(), "\r", ""))
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestTablesAreDecoded(t *testing.T) {
	text := []byte(read(t, "testdata/every.toml"))
	doc := scanDocument(string(text))
	tree, problem := decode("f", doc)
	if problem != nil {
		t.Fatal(problem)
	}
	r := &reader{path: "f", doc: doc}
	c := r.config(tree)
	for _, p := range r.problems {
		t.Error(p)
	}
	wantSources := []Source{
		{Name: "wan", Method: "auto", Network: "wan"},
		{Name: "up", Method: "upstream", Interface: "auto"},
		{Name: "echo", Method: "echo", Interface: "auto"},
		{Name: "nas", Method: "host", Interface: "br-lan", Suffix: netip.MustParseAddr("::1234:5678:9abc:def0")},
	}
	wantAliases := []Alias{{
		Hostname: "home.example.org", Provider: "noip", Targets: []string{"home.ddns.net"},
		FailAfter: 5 * time.Minute, ReturnAfter: 30 * time.Minute,
	}}
	wantVerify := Verify{Enabled: true, Interval: 10 * time.Minute, Resolver: netip.MustParseAddrPort("9.9.9.9:53")}
	wantNotify := Notify{Command: []string{"/etc/wanbeacon/notify"}, URL: "https://ntfy.example/topic"}
	if !reflect.DeepEqual(c.Sources, wantSources) || !reflect.DeepEqual(c.Aliases, wantAliases) ||
		!reflect.DeepEqual(c.Verify, wantVerify) || !reflect.DeepEqual(c.Notify, wantNotify) {
		t.Errorf("%+v", c)
	}
}

func TestResolvers(t *testing.T) {
	for text, want := range map[string]Verify{
		"":                           {},
		"9.9.9.9":                    {Resolver: netip.MustParseAddrPort("9.9.9.9:53")},
		"[2620:fe::fe]:5353":         {Resolver: netip.MustParseAddrPort("[2620:fe::fe]:5353")},
		"https://dns.test/dns-query": {DoH: "https://dns.test/dns-query"},

		"https://dns.test/dns-query{?dns}": {DoH: "https://dns.test/dns-query"},
	} {
		c := mustParse(t, "[verify]\nresolver = '"+text+"'\n")
		if c.Verify.Resolver != want.Resolver || c.Verify.DoH != want.DoH {
			t.Errorf("%q: %+v", text, c.Verify)
		}
	}
	for _, text := range []string{"https://", "http://dns.test/dns-query", "dns.test"} {
		if _, err := Parse("x.toml", []byte("[verify]\nresolver = '"+text+"'\n")); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestFormsOfTheSameFile(t *testing.T) {
	want := mustParse(t, read(t, "testdata/shortest.toml"))
	for _, text := range []string{
		"provider.noip.username = 'abc123'\nprovider.noip.password = 'secret'\nrecord = [{ hostname = 'home.ddns.net', provider = 'noip' }]",
		"record = [{ hostname = 'home.ddns.net', provider = 'noip' }]\nprovider = { noip = { username = 'abc123', password = 'secret' } }",
		"[[record]]\nprovider = 'noip'\nhostname = 'home.ddns.net'\n[provider]\nnoip.username = 'abc123'\nnoip.password = 'secret'",
	} {
		got := mustParse(t, text)
		if !reflect.DeepEqual(got.Records, want.Records) || !reflect.DeepEqual(got.Providers, want.Providers) || got.Warnings != nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestWarnings(t *testing.T) {
	c := mustParse(t, read(t, "testdata/warnings.toml"))
	var b strings.Builder
	for _, p := range c.Warnings {
		fmt.Fprintln(&b, p.Error())
	}
	compare(t, "testdata/warnings.txt", b.String())
}

func TestFileWithoutRecordsIsAWarning(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "[provider.noip]\nusername = 'a'\n"} {
		c := mustParse(t, text)
		if len(c.Warnings) != 1 || c.Warnings[0].Line != 0 || !strings.Contains(c.Warnings[0].Message, "no [[record]]") {
			t.Errorf("%q: %v", text, c.Warnings)
		}
	}
}

// The file that ships passes as it is, and so does every option in it.
func TestShippedFile(t *testing.T) {
	text := read(t, "../../config.toml")
	c := mustParse(t, text)
	if len(c.Warnings) != 1 || !reflect.DeepEqual(c.Daemon, defaultDaemon) || len(c.Sources) != 1 || len(c.Providers) != 0 {
		t.Errorf("as it is: %+v", c)
	}
	lines := strings.Split(text, "\n")
	options := 0
	for i, line := range lines {
		if len(line) > 1 && line[0] == '#' && line[1] != ' ' {
			lines[i] = line[1:]
			options++
		}
	}
	c = mustParse(t, strings.Join(lines, "\n"))
	if options < 20 || len(c.Warnings) != 0 || !reflect.DeepEqual(c.Daemon, defaultDaemon) || len(c.Records) != 1 || len(c.Sources) != 3 {
		t.Errorf("with %d options: %+v", options, c)
	}
	if got := c.Records[0]; got.Source != "wan" || !got.Enabled || got.RemoveOnExit || len(got.Families) != 1 {
		t.Errorf("what is shown as a default is none: %+v", got)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.toml")
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		return p
	}
	short := read(t, "testdata/shortest.toml")

	for mode, want := range map[os.FileMode]string{
		0o600: "", 0o400: "", 0o700: "",
		0o644: "other users can read this file, which holds secrets: chmod 600 " + path,
		0o640: "other users can read this file, which holds secrets: chmod 600 " + path,
		0o604: "other users can read this file, which holds secrets: chmod 600 " + path,
		0o620: "other users can change this file, which holds secrets: chmod 600 " + path,
	} {
		write("config.toml", short, mode)
		c, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Warnings) > 1 || len(c.Warnings) == 1 != (want != "") || want != "" && c.Warnings[0] != (Problem{Path: path, Message: want}) {
			t.Errorf("mode %o: %v, want %q", mode, c.Warnings, want)
		}
	}

	missing := filepath.Join(dir, "none.toml")
	for name, want := range map[string]string{
		missing: missing + ": no such file or directory; create it, or name another with -config",
		dir:     dir + ": is a directory, not a file",
		write("big.toml", strings.Repeat("#", 1<<20+1), 0o600):          filepath.Join(dir, "big.toml") + ": is larger than 1024 KiB",
		write("wrong.toml", "# one\n[daemon]\ntimeuot = '5s'\n", 0o600): filepath.Join(dir, "wrong.toml") + ":3: unknown key `timeuot`; did you mean `timeout`?",
	} {
		c, err := Load(name)
		if _, ok := err.(Problems); !ok || c != nil || err.Error() != want {
			t.Errorf("got %T %v\nwant %s", err, err, want)
		}
	}
	if _, err := Load(write("full.toml", strings.Repeat("#", 1<<20), 0o600)); err != nil {
		t.Errorf("a file of 1 MiB: %v", err)
	}
	if _, err := Parse("p", make([]byte, 1<<20+1)); err == nil || err.Error() != "p: is larger than 1024 KiB" {
		t.Errorf("a text of more: %v", err)
	}
}

func TestPipeWithNoWriterDoesNotHang(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Parse("c", []byte("[provider.p]\npassword_file = '"+path+"'\n"))
	if want := "c:2: `password_file`: " + path + ": its first line is empty; write the secret there"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	pem := "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"
	for name, c := range map[string]struct {
		content, want, problem string
		mode                   os.FileMode
		warning                string
	}{
		"one line":           {content: "s3cret\n", want: "s3cret"},
		"no line end":        {content: "s3cret", want: "s3cret"},
		"Windows line end":   {content: "s3cret\r\n", want: "s3cret"},
		"several lines":      {content: "s3cret\nmore\n", want: "s3cret"},
		"spaces are kept":    {content: " s3 cret \n", want: " s3 cret "},
		"byte order mark":    {content: "\ufeffs3cret\n", want: "s3cret"},
		"PEM is whole":       {content: pem + "\n", want: pem},
		"JSON is whole":      {content: "{\n \"a\": 1\n}\n", want: "{\n \"a\": 1\n}"},
		"64 KiB":             {content: strings.Repeat("x", 64<<10), want: strings.Repeat("x", 64<<10)},
		"more than 64 KiB":   {content: strings.Repeat("x", 64<<10+1), problem: "is larger than 64 KiB"},
		"empty":              {content: "", problem: "its first line is empty; write the secret there"},
		"empty first line":   {content: "\ns3cret\n", problem: "its first line is empty; write the secret there"},
		"NUL":                {content: "s3c\x00ret\n", problem: "has a NUL byte in it"},
		"others can read it": {content: "s3cret\n", want: "s3cret", mode: 0o644, warning: "`password_file`: other users can read this file, which holds secrets: chmod 600 " + path},
	} {
		t.Run(name, func(t *testing.T) {
			if c.mode == 0 {
				c.mode = 0o600
			}
			if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			cfg, err := Parse("c", []byte("record = []\n[provider.p]\npassword_file = '"+path+"'\n"))
			if c.problem != "" {
				if want := "c:3: `password_file`: " + path + ": " + c.problem; err == nil || err.Error() != want {
					t.Fatalf("got %v\nwant %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.Providers[0].Fields["password"].Reveal(); got != c.want || len(cfg.Providers[0].Fields) != 1 {
				t.Errorf("got %q of %d fields, want %q", got, len(cfg.Providers[0].Fields), c.want)
			}
			if line := cfg.Problem("provider.p.password", "").Line; line != 3 {
				t.Errorf("its line is %d", line)
			}
			if last := cfg.Warnings[len(cfg.Warnings)-1]; len(cfg.Warnings) == 2 != (c.warning != "") || c.warning != "" && last != (Problem{Path: "c", Line: 3, Message: c.warning, Key: "provider.p.password_file"}) {
				t.Errorf("warnings %v", cfg.Warnings)
			}
		})
	}
}
