// Package luci is empty but for this test: the LuCI page beside it is JavaScript, and its unit tests run in node.
package luci

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// What the page decides, and its translations: test/*.test.js. The page in a browser is `make test-luci`.
func TestPage(t *testing.T) {
	files, err := filepath.Glob("test/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatal("no tests", err)
	}
	out, err := exec.Command("node", append([]string{"--test"}, files...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
}
