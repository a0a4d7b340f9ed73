// Package luci is empty but for this test: the LuCI page beside it is JavaScript, and its unit tests run in node.
package luci

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wanbeacon/wanbeacon/ipk/internal/jsmin"
)

// What the page decides, and its translations: test/*.test.js. The page in a browser is `make test-luci`.
func TestPage(t *testing.T) {
	node(t, "")
}

// The same of the scripts as the package has them.
func TestPackedPage(t *testing.T) {
	files, err := filepath.Glob("htdocs/luci-static/resources/view/wanbeacon/*.js")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	dir := t.TempDir()
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := jsmin.Strip(string(text))
		if err != nil {
			t.Fatal(f, err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), []byte(packed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	node(t, dir)
}

func node(t *testing.T, views string) {
	files, err := filepath.Glob("test/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatal("no tests", err)
	}
	cmd := exec.Command("node", append([]string{"--test"}, files...)...)
	if views != "" {
		cmd.Env = append(os.Environ(), "WANBEACON_VIEWS="+views)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
}
