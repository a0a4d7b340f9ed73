package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Release is Build with the binary as `make build` makes it for a release.
func Release(dir string) (string, error) {
	if path := os.Getenv("WANBEACON_BINARY"); path != "" {
		return path, nil
	}
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the Makefile: %w", err)
	}
	path := filepath.Join(dir, "wanbeacon")
	cmd := exec.Command("make", "-s", "-C", filepath.Dir(string(mod)), "build", "BIN="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make build: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return path, nil
}

// Build returns the path of the wanbeacon binary: what the environment's
// WANBEACON_BINARY names (an absolute path, so that the tests can be run on a
// release's binary), else one built now, with these flags of `go build`. Call
// it once for a package, before m.Run in TestMain; dir is where it goes.
func Build(dir string, flags ...string) (string, error) {
	if path := os.Getenv("WANBEACON_BINARY"); path != "" {
		return path, nil
	}
	path := filepath.Join(dir, "wanbeacon")
	args := append([]string{"build", "-o", path}, flags...)
	cmd := exec.Command("go", append(args, "github.com/wanbeacon/wanbeacon/ddns")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build wanbeacon: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return path, nil
}
