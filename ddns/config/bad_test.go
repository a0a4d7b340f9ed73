package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each testdata/bad/NAME.toml has its errors in NAME.txt, without the path.
func TestBadFilesSayWhatIsWrongAndWhere(t *testing.T) {
	names, _ := filepath.Glob("testdata/bad/*.toml")
	if len(names) == 0 {
		t.Fatal("no testdata")
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".toml"), func(t *testing.T) {
			c, err := Load(name)
			problems, ok := err.(Problems)
			if !ok || len(problems) == 0 || c != nil {
				t.Fatalf("got %v and a %T: %v", c, err, err)
			}
			var one Problem
			if !errors.As(err, &one) || one != problems[0] {
				t.Errorf("errors.As finds %v", one)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret in the error:\n%v", err)
			}
			compare(t, strings.TrimSuffix(name, ".toml")+".txt", strings.ReplaceAll(err.Error(), name+":", "")+"\n")
		})
	}
}

// compare fails unless the golden file has this text.
func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
