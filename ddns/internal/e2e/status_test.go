package e2e

import (
	"encoding/json"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// status asks for the status, whatever the exit status says about blocks.
func status(t *testing.T, d *lab.Daemon) lab.Status {
	t.Helper()
	r := d.Command("status", "-json")
	var s lab.Status
	if err := json.Unmarshal([]byte(r.Stdout), &s); err != nil {
		t.Fatalf("status: exit %d, %v\n%s%s", r.Status, err, r.Stdout, r.Stderr)
	}
	return s
}
