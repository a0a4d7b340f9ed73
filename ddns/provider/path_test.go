package provider

import (
	"slices"
	"testing"
)

var pathKeys = map[string]string{"zone": "example.org", "type": "A", "hostname": "*.example.org", "member": "ARecords"}

func knownPathKey(name string) bool { return pathKeys[name] != "" }

func pathValue(name string) string { return pathKeys[name] }

func TestPaths(t *testing.T) {
	const answer = `{"zones":[{"name":"example.net","id":1},{"name":"EXAMPLE.org","id":"/zone/2","config":{"private":true}},{"name":"example.org","id":"/zone/3","config":{"private":false,"tags":[{"k":"v"}]}}],
		"ids":[101,102],"mixed":["192.0.2.1","2001:db8::1"],"properties":{"TTL":300,"ARecords":[{"ip":"192.0.2.1"},{"ip":"192.0.2.2"}]},"records":[{"host":"\\052.example.org","a":"192.0.2.3"},{"host":"x","a":"2001:db8::3"}]}`
	tree, err := readTree("json", answer)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, text string
		n          int
	}{
		{"zones.0.id", "1", 1},
		{"zones[name={zone}].id", "/zone/2", 2},
		{"zones[name={zone}].id after /", "2", 2},
		{"zones[name={zone}][config.private=false].id after /", "3", 1},
		{"zones[config.tags.k=v].name", "example.org", 1},
		{"zones[config.none=false].name", "", 0},
		{"zones[name=example.com|{zone}].id", "/zone/2", 2},
		{"zones.#", "3", 1},
		{"zones.*.name", "example.net", 3},
		{"zones.name", "example.net", 3},
		{"zones[name={zone}].config as json", `{"private":true}`, 2},
		{"ids", "101", 1},
		{"properties.{member}", "", 1},
		{"properties.{member}.ip", "192.0.2.1", 2},
		{"properties.{type}Records.1.ip", "192.0.2.2", 1},
		{"records[host={hostname}].a", "192.0.2.3", 1},
		{"records[a~{type}].host", `\052.example.org`, 1},
		{"records[a~AAAA].host", "x", 1},
		{"nothing.here", "", 0},
	} {
		p, err := parsePath(c.path, knownPathKey)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if text := p.text(tree, pathValue); text != c.text {
			t.Errorf("%s: %q, want %q", c.path, text, c.text)
		}
		if n := len(p.find(tree, pathValue)); n != c.n {
			t.Errorf("%s: %d found, want %d", c.path, n, c.n)
		}
	}
	for _, bad := range []string{"a..b", ".a", "a.", "a[b", "a[=b]", "a[b=c]d", "a b", "a[b={unknown}]", "{unknown}s"} {
		if _, err := parsePath(bad, knownPathKey); err == nil {
			t.Errorf("%q is a path", bad)
		}
	}
}

// FuzzPath: no path and no answer makes it crash, and what it finds is bounded.
func FuzzPath(f *testing.F) {
	for _, path := range []string{".", "a", "a.0.b", "a[b={zone}][c~{type}].d after /", "a.*[b.c=d|e].#", "{member}.{type}Records", "a as json"} {
		f.Add(path, `{"a":[{"b":{"c":"d"}},[1,null,"2001:db8::1"],true]}`)
	}
	f.Fuzz(func(t *testing.T, text, answer string) {
		p, err := parsePath(text, knownPathKey)
		if err != nil {
			return
		}
		for _, form := range []string{"json", "xml", "lines"} {
			tree, err := readTree(form, answer)
			if err != nil {
				continue
			}
			if found := p.find(tree, pathValue); len(found) > maxNodes {
				t.Fatalf("%d found", len(found))
			}
			if a, b := p.text(tree, pathValue), p.text(tree, pathValue); a != b {
				t.Fatalf("%q, then %q", a, b)
			}
		}
	})
}

// Of texts with addresses of both families, those of ours are records and the
// others are kept.
func TestAddressesInOneText(t *testing.T) {
	r := &run{kind: "AAAA", vars: map[string]string{}}
	s := &Step{Records: RecordsForm{Split: ","}}
	records := r.split(s, []any{"192.0.2.1, 2001:db8::1", "", "no address,2001:db8::2", nil})
	if want := []any{"2001:db8::1", "2001:db8::2"}; !slices.Equal(records, want) || r.vars["others"] != " 192.0.2.1" {
		t.Errorf("%v, others %q", records, r.vars["others"])
	}
}
