package e2e

import (
	"encoding/json"
	"strings"
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

// verdict is what `addresses -json` says about an address of source wan.
type verdict struct {
	Address   string
	Interface string
	Taken     bool
	Reason    string
}

func (v verdict) contains(reason string) bool { return strings.Contains(v.Reason, reason) }

// reasons asks for all addresses, by address and length.
func reasons(t *testing.T, d *lab.Daemon) map[string]verdict {
	t.Helper()
	r := d.Command("addresses", "-json")
	var a struct {
		Sources []struct {
			Name       string
			Candidates []verdict
		}
	}
	if err := json.Unmarshal([]byte(r.Stdout), &a); err != nil || r.Status != 0 || len(a.Sources) == 0 {
		t.Fatalf("addresses: exit %d, %v\n%s%s", r.Status, err, r.Stdout, r.Stderr)
	}
	all := map[string]verdict{}
	for _, c := range a.Sources[0].Candidates {
		all[c.Address] = c
	}
	return all
}
