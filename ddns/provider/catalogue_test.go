package provider

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const minimal = `title = "Mine"
family = "dyndns2"
[url]
ipv4 = "https://dyn.example.net/nic/update?hostname={hostname}&myip={ipv4}"
`

func TestUsersFilesOverrideAndExtend(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("mine.toml", minimal)
	write("noip.toml", strings.Replace(minimal, "Mine", "My No-IP", 1))
	write("dyn.toml", minimal+"\n[limits]\nmin_intervall = \"5m\"\n")
	write("Bad Name.toml", minimal)
	write("notes.txt", "not a definition")
	write("broken.toml", "title = \"x\"\nfamily = \n")
	cat, errs := Open(dir)
	var all []string
	for _, err := range errs {
		all = append(all, strings.TrimPrefix(err.Error(), dir+"/"))
	}
	slices.Sort(all)
	got := strings.Join(all, "\n")
	for _, want := range []string{"Bad Name.toml: ", "broken.toml:2: ", `dyn.toml:7: unknown key "limits.min_intervall"; did you mean "min_interval"?`} {
		if !strings.Contains(got, want) {
			t.Errorf("errors\n%s\nwithout %q", got, want)
		}
	}
	if len(errs) != 3 {
		t.Errorf("%d errors", len(errs))
	}
	for name, title := range map[string]string{"mine": "Mine", "noip": "My No-IP", "dyn": "Dyn (DynDNS, Oracle)"} {
		def, err := cat.Lookup(name)
		if err != nil || def.Title != title {
			t.Errorf("%s: %v %v", name, def, err)
		}
	}
	if names := cat.Names(); !slices.Contains(names, "mine") || !slices.Contains(names, "duckdns") || slices.Contains(names, "broken") || !slices.IsSorted(names) {
		t.Errorf("%v", names)
	}
	_, err := cat.Lookup("no-ip")
	if err == nil || !strings.Contains(err.Error(), `did you mean "noip"?`) {
		t.Error(err)
	}
}

func TestOpenWithoutDirectory(t *testing.T) {
	if _, errs := Open(filepath.Join(t.TempDir(), "none")); len(errs) > 0 {
		t.Error(errs)
	}
}

// TestBrokenDefinitions: each mistake is found, with its line.
func TestBrokenDefinitions(t *testing.T) {
	for _, c := range []struct{ name, add, want string }{
		{"unknown class", "[words]\nfoo = \"bar\"", ":6: words.foo: \"bar\" is no class"},
		{"unknown placeholder", "[request]\nauth = \"basic\"\npassword = \"{pasword}\"", ":7: request.password: there is no placeholder {pasword}"},
		{"unknown transform", "[request]\nuser_agent = \"{version|sha512}\"", ":6: request.user_agent: {version|sha512}: there is no transform"},
		{"host from a value", "ipv6 = \"https://{hostname}/\"", ":5: url.ipv6: the host cannot have placeholders"},
		{"host ends with a value", "ipv6 = \"https://a.example{hostname}/\"", ":5: url.ipv6: the host cannot have placeholders"},
		{"port from a value", "ipv6 = \"https://a.example:{ttl}/\"", ":5: url.ipv6: the host cannot have placeholders"},
		{"no scheme", "ipv6 = \"dyn.example.net/\"", ":5: url.ipv6: a URL begins with"},
		{"credentials in the URL", "ipv6 = \"https://u:p@dyn.example.net/\"", ":5: url.ipv6: user and password"},
		{"both without a rule", "both = \"https://dyn.example.net/\"", "hosts.families"},
		{"rule without both", "[hosts]\nfamilies = \"may\"", "url.both: missing"},
		{"zone without hosts.zone", "ipv6 = \"https://dyn.example.net/{zone}\"", ":5: url.ipv6: {zone} and {name} need hosts.zone"},
		{"bad pattern", "[reply]\nupdated = [\"status 600\"]", ":6: reply.updated: pattern"},
		{"bad duration", "[limits]\nmin_interval = \"5\"", ":6: "},
		{"wrong type", "[hosts]\nlist = \"yes\"", ":6: "},
		{"reserved field", "[[field]]\nkey = \"server\"\nlabel = \"x\"", ":6: field.key: \"server\" is taken"},
		{"header that is the transport's", "[request]\nheaders = { Host = \"x\" }", "request.headers: \"Host\" cannot be set"},
		{"line break in a header", "[request]\nheaders = { X = \"a\\r\\nb\" }", "control characters"},
		{"body without a type", "[request]\nbody = \"x\"", "request.content_type: missing"},
		{"unknown family", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := minimal + c.add + "\n"
			if c.name == "unknown family" {
				text, c.want = strings.Replace(minimal, "dyndns2", "dyndns3", 1), ":2: family: \"dyndns3\" is none of"
			}
			_, errs := parseDefinition("mine", "mine.toml", []byte(text))
			if got := fmt.Sprint(errs); !strings.Contains(got, c.want) {
				t.Errorf("%s, want %q", got, c.want)
			}
		})
	}
}

// TestWhatIsNotLinked holds the line on the size of the program.
func TestWhatIsNotLinked(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	for _, never := range []string{"regexp", "text/template", "html/template", "net/http", "net/http/pprof", "log/slog", "mime/multipart"} {
		if slices.Contains(deps, never) {
			t.Errorf("depends on %s", never)
		}
	}
}

func FuzzCatalogue(f *testing.F) {
	paths, _ := filepath.Glob("catalogue/*.toml")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(minimal))
	f.Add([]byte("[[example]]\n[example.exchange]\nfamily=1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		def, errs := parseDefinition("x", "x.toml", text)
		if (def == nil) != (len(errs) > 0) {
			t.Fatal(def, errs)
		}
		lines := strings.Count(string(text), "\n") + 2
		for _, err := range errs {
			if strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("%q", err.Error())
			}
			var line int
			if _, scanErr := fmt.Sscanf(err.Error(), "x.toml:%d:", &line); scanErr == nil && line > lines {
				t.Errorf("line %d of %d: %v", line, lines, err)
			}
		}
	})
}
