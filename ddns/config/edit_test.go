package config

import (
	"strings"
	"testing"
)

const editable = `# wanbeacon, by hand

[daemon]
log_level = "debug" # noisy

# my account
[provider.noip]
username = 'abc'   # the key's name
password = "old"
# the rest is default

# --- other accounts ---

[provider.dyn]
password_file = "/etc/dyn"
	type = "dyn"

[[record]] # first
hostname = "a.example.org"
provider = "noip"
families = [
	"ipv4", # v4
	"ipv6",
]

# the second
[[record]]
hostname = "b.example.org"
provider = "dyn"

[verify]
enabled = false
`

func TestRewrite(t *testing.T) {
	for _, c := range []struct {
		name  string
		text  string // default editable
		edits []Edit
		// pairs of what is replaced in the text
		replace []string
	}{
		{name: "nothing", replace: nil},
		{name: "what is there already", edits: []Edit{
			{Table: "provider.noip", Set: map[string]any{"username": "abc", "ttl": nil}},
			{Table: "record[0]", Set: map[string]any{"families": []any{"ipv4", "ipv6"}}}, {Table: "source.none", Remove: true}}},
		{name: "a value, its comment stays", edits: []Edit{{Table: "provider.noip", Set: map[string]any{"username": "xyz"}}},
			replace: []string{`'abc'`, `"xyz"`}},
		{name: "a list over several lines", edits: []Edit{{Table: "record[0]", Set: map[string]any{"families": []any{"ipv6"}}}},
			replace: []string{"[\n\t\"ipv4\", # v4\n\t\"ipv6\",\n]", `["ipv6"]`}},
		{name: "a key goes", edits: []Edit{{Table: "record[0]", Set: map[string]any{"families": nil}}},
			replace: []string{"families = [\n\t\"ipv4\", # v4\n\t\"ipv6\",\n]\n", ""}},
		{name: "keys are added after the last", edits: []Edit{{Table: "provider.noip", Set: map[string]any{"force_interval": "30d", "bind": "eth1"}}},
			replace: []string{"\"old\"\n", "\"old\"\nbind = \"eth1\"\nforce_interval = \"30d\"\n"}},
		{name: "with its indent", edits: []Edit{{Table: "provider.dyn", Set: map[string]any{"insecure_http": true}}},
			replace: []string{"type = \"dyn\"\n", "type = \"dyn\"\n\tinsecure_http = true\n"}},
		{name: "a password takes its file out", edits: []Edit{{Table: "provider.dyn", Set: map[string]any{"password": `a"b\'` + "\n"}}},
			replace: []string{"password_file = \"/etc/dyn\"\n\ttype = \"dyn\"\n", "\ttype = \"dyn\"\n\tpassword = \"a\\\"b\\\\'\\n\"\n"}},
		{name: "a table goes with its comments", edits: []Edit{{Table: "provider.noip", Remove: true}},
			replace: []string{"# my account\n[provider.noip]\nusername = 'abc'   # the key's name\npassword = \"old\"\n# the rest is default\n\n", ""}},
		{name: "an element goes", edits: []Edit{{Table: "record[1]", Remove: true}},
			replace: []string{"# the second\n[[record]]\nhostname = \"b.example.org\"\nprovider = \"dyn\"\n\n", ""}},
		{name: "indices are those before", edits: []Edit{{Table: "record[0]", Remove: true}, {Table: "record[1]", Set: map[string]any{"enabled": false}}},
			replace: []string{"[[record]] # first\nhostname = \"a.example.org\"\nprovider = \"noip\"\nfamilies = [\n\t\"ipv4\", # v4\n\t\"ipv6\",\n]\n\n", "",
				"provider = \"dyn\"\n", "provider = \"dyn\"\nenabled = false\n"}},
		{name: "an element is added after the last", edits: []Edit{{Table: "record", Set: map[string]any{"provider": "dyn", "hostname": "c.example.org"}}},
			replace: []string{"provider = \"dyn\"\n", "provider = \"dyn\"\n\n[[record]]\nhostname = \"c.example.org\"\nprovider = \"dyn\"\n"}},
		{name: "in place of the last", edits: []Edit{{Table: "record[1]", Remove: true}, {Table: "record", Set: map[string]any{"hostname": "c.example.org"}}},
			replace: []string{"# the second\n[[record]]\nhostname = \"b.example.org\"\nprovider = \"dyn\"\n", "[[record]]\nhostname = \"c.example.org\"\n"}},
		{name: "the first of its kind", edits: []Edit{{Table: "source.lte", Set: map[string]any{"interface": "wwan0"}}, {Table: "notify", Set: map[string]any{"command": []any{"/x"}}}},
			replace: []string{"enabled = false\n", "enabled = false\n\n[source.lte]\ninterface = \"wwan0\"\n\n[notify]\ncommand = [\"/x\"]\n"}},
		{name: "rename", edits: []Edit{{Table: "provider.noip", Rename: "home", Set: map[string]any{"password": "new"}}, {Table: "record[0]", Set: map[string]any{"provider": "home"}}},
			replace: []string{"[provider.noip]", "[provider.home]", `"old"`, `"new"`, `"noip"`, `"home"`}},
		{name: "no line end at the end", text: "[[record]]\nhostname = \"a\"", edits: []Edit{{Table: "record[0]", Set: map[string]any{"ttl": "60s"}}, {Table: "record", Set: map[string]any{"hostname": "b"}}},
			replace: []string{"\"a\"", "\"a\"\nttl = \"60s\"\n\n[[record]]\nhostname = \"b\"\n"}},
		{name: "carriage returns", text: "[daemon]\r\ntimeout = \"5s\"\r\n", edits: []Edit{{Table: "daemon", Set: map[string]any{"log_level": "warn"}}},
			replace: []string{"\"5s\"\r\n", "\"5s\"\r\nlog_level = \"warn\"\r\n"}},
		{name: "byte order mark", text: "\ufeff[daemon]\ntimeout = \"5s\"\n", edits: []Edit{{Table: "daemon", Set: map[string]any{"timeout": "6s"}}},
			replace: []string{"5s", "6s"}},
		{name: "what the file begins with is about the file", text: "# mine\n[daemon]\n", edits: []Edit{{Table: "daemon", Remove: true}}, replace: []string{"[daemon]\n", ""}},
		{name: "an empty file", text: "\n", edits: []Edit{{Table: "record", Set: map[string]any{"hostname": "b", "enabled": true, "n": Number("5")}}},
			replace: []string{"\n", "\n[[record]]\nhostname = \"b\"\nenabled = true\nn = 5\n"}},
		{name: "values in unusual places", text: "provider.a.token = 'x'\nrecord = [{hostname = 'h', ttl = '1m'}]\n[source]\nwan = {method = 'auto'}\n",
			edits:   []Edit{{Table: "provider.a", Set: map[string]any{"token": "y"}}, {Table: "record[0]", Set: map[string]any{"hostname": "i"}}, {Table: "source.wan", Set: map[string]any{"method": "interface"}}},
			replace: []string{"'x'", `"y"`, "'h'", `"i"`, "'auto'", `"interface"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.text == "" {
				c.text = editable
			}
			want := c.text
			for i := 0; i < len(c.replace); i += 2 {
				if !strings.Contains(want, c.replace[i]) {
					t.Fatalf("%q is not there", c.replace[i])
				}
				want = strings.Replace(want, c.replace[i], c.replace[i+1], 1)
			}
			got, err := Rewrite("c", []byte(c.text), c.edits)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestRewriteRefuses(t *testing.T) {
	for _, c := range []struct {
		text string
		edit Edit
		want string
	}{
		{"[daemon\n", Edit{}, "c:1: the header is not closed"},
		{editable, Edit{Table: "records[0]"}, "there is no table `records[0]`"},
		{editable, Edit{Table: "provider"}, "there is no table"},
		{editable, Edit{Table: "provider.a b"}, "there is no table"},
		{editable, Edit{Table: "record[01]"}, "there is no table"},
		{editable, Edit{Table: "record[2]", Set: map[string]any{"hostname": "x"}}, "there is no `record[2]`"},
		{editable, Edit{Table: "record", Remove: true}, "cannot be renamed or removed"},
		{editable, Edit{Table: "record[0]", Rename: "x"}, "cannot be renamed or removed"},
		{editable, Edit{Table: "provider.noip", Rename: "a b"}, "cannot be renamed or removed"},
		{editable, Edit{Table: "provider.noip", Rename: "dyn"}, "c:7: there is a table [provider.dyn] already"},
		{editable, Edit{Table: "daemon", Set: map[string]any{"timeout": map[string]any{}}}, "c:3: `timeout` must be text"},
		{editable, Edit{Table: "daemon", Set: map[string]any{"timeout": Number("x")}}, "c:3: `timeout` must be text"},
		{"[provider]\na = {x = 1}\n", Edit{Table: "provider.a", Set: map[string]any{"y": "1"}}, "c:2: `provider.a` has no header of its own"},
		{"[provider]\na = {x = 1}\n", Edit{Table: "provider.a", Remove: true}, "c:2: `provider.a` has no header of its own"},
		{"record = [{a = 1, b = 2}]\n", Edit{Table: "record[0]", Set: map[string]any{"a": nil}}, "cannot be changed here"},
		{"[provider.a]\n[provider.a.b]\nc = 1\n", Edit{Table: "provider.a", Remove: true}, "cannot be changed here"},
	} {
		_, err := Rewrite("c", []byte(c.text), []Edit{c.edit})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.edit, err, c.want)
		}
	}
	twice := []Edit{{Table: "daemon", Set: map[string]any{"a": "1"}}, {Table: "daemon", Set: map[string]any{"a": "2"}}}
	if _, err := Rewrite("c", nil, twice); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("two edits of one table: %v", err)
	}
}
