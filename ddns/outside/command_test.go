package outside

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, script, want, problem string }{
		{"address", "echo 8.8.4.4", "8.8.4.4", ""},
		{"blanks and more lines", "echo '  8.8.4.4  '; echo 8.8.8.8", "8.8.4.4", ""},
		{"IPv6", "echo 2a02::1", "2a02::1", ""},
		{"mapped", "echo ::ffff:8.8.4.4", "8.8.4.4", ""},
		{"nothing", "true", "", "printed nothing"},
		{"words", "echo no address today", "", `printed "no address today", which is no IP address`},
		{"zone", "echo fe80::1%eth0", "", "no IP address"},
		{"prefix", "echo 8.8.4.4/24", "", "no IP address"},
		{"two on a line", "echo 8.8.4.4 8.8.8.8", "", "no IP address"},
		{"control characters", "printf '8.8.4.4\\033[2J\\n'", "", `"8.8.4.4\x1b[2J"`},
		{"failure after an address", "echo 8.8.4.4; exit 3", "", "exit status 3"},
		{"failure with a complaint", "echo oops >&2; exit 3", "", `exit status 3: "oops"`},
		{"much output", "yes | head -c 1000000", "", "no IP address"},
		{"much output after the address", "echo 8.8.4.4; yes | head -c 1000000", "8.8.4.4", ""},
		{"a child that stays", "echo 8.8.4.4; sleep 1000 &", "8.8.4.4", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addr, err := command(t.Context(), []string{"/bin/sh", "-c", c.script})
			if c.want != "" && (err != nil || addr.String() != c.want) {
				t.Errorf("got %v, %v; want %s", addr, err, c.want)
			}
			if c.want == "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("error %v, want one with %s", err, c.problem)
			}
		})
	}
	if _, err := command(t.Context(), []string{"/no/such/program"}); err == nil || !strings.Contains(err.Error(), "/no/such/program: ") {
		t.Errorf("no program: %v", err)
	}
}

// A program that does not end is ended, its children with it.
func TestCommandIsKilled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := command(ctx, []string{"/bin/sh", "-c", "sleep 1000; echo 8.8.4.4"})
		done <- err
	}()
	cancel()
	select {
	case err := <-done:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it is not killed")
	}
}
