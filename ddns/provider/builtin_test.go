package provider

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/wanbeacon/wanbeacon/ddns/internal/builtin"
)

// catalogueFile reads a catalogue file with its examples.
func catalogueFile(t *testing.T, name string) *Definition {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("catalogue", name+".toml"))
	if err != nil {
		t.Fatal(err)
	}
	def, errs := parseDefinition(name, "catalogue/"+name+".toml", text)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return def
}

// catalogueNames are the names of all catalogue files.
func catalogueNames(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("catalogue/*.toml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no catalogue", err)
	}
	for i, path := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(path), ".toml")
	}
	return paths
}

func TestBuiltInIsUpToDate(t *testing.T) {
	want, err := builtin.Text("catalogue")
	if err != nil {
		t.Fatal(err)
	}
	if want != builtinText {
		t.Fatal("builtin.txt is out of date: run `make catalogue`")
	}
}

// TestBuiltInMeansTheSame: what the program carries says what the files say,
// but for examples and comments.
func TestBuiltInMeansTheSame(t *testing.T) {
	for _, name := range catalogueNames(t) {
		text, err := os.ReadFile(filepath.Join("catalogue", name+".toml"))
		if err != nil {
			t.Fatal(err)
		}
		short, err := builtin.Compact(string(text))
		if err != nil {
			t.Fatal(name, err)
		}
		var full, compact Definition
		if _, err := toml.Decode(string(text), &full); err != nil {
			t.Fatal(name, err)
		}
		if _, err := toml.Decode(short, &compact); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, short)
		}
		full.Examples, full.Missing = nil, nil
		if !reflect.DeepEqual(full, compact) {
			t.Errorf("%s: not the same:\n%s", name, short)
		}
	}
}
