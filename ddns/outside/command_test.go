package outside

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
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
		{"brackets", "echo '[2a02::1]'", "", "no IP address"},
		{"a name", "echo home.example.org", "", "no IP address"},
		{"octets with zeros", "echo 008.008.004.004", "", "no IP address"},
		{"no last line end", "printf 8.8.4.4", "8.8.4.4", ""},
		{"carriage return", "printf '8.8.4.4\\r\\n'", "8.8.4.4", ""},
		{"an empty line first", "echo; echo 8.8.4.4", "8.8.4.4", ""},
		{"a byte order mark", "printf '\\357\\273\\2778.8.4.4\\n'", "", "no IP address"},
		{"a signal", "echo 8.8.4.4; kill -9 $$", "", "ended by signal 9"},
		{"long lines of complaint", "yes ab | tr -d '\\n' | head -c 100000 >&2; exit 1", "", "exit status 1: \"abab"},
		{"prefix", "echo 8.8.4.4/24", "", "no IP address"},
		{"two on a line", "echo 8.8.4.4 8.8.8.8", "", "no IP address"},
		{"control characters", "printf '8.8.4.4\\033[2J\\n'", "", `"8.8.4.4\x1b[2J"`},
		{"failure after an address", "echo 8.8.4.4; exit 3", "", "exit status 3"},
		{"failure with a complaint", "echo oops >&2; exit 3", "", `exit status 3: "oops"`},
		{"much output", "yes | head -c 1000000", "", "no IP address"},
		{"much output after the address", "echo 8.8.4.4; yes | head -c 1000000", "8.8.4.4", ""},
		{"a child that stays", "echo 8.8.4.4; sleep 20 &", "8.8.4.4", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addr, err := command(t.Context(), []string{"/bin/sh", "-c", c.script}, commandTimeout)
			if c.want != "" && (err != nil || addr.String() != c.want) {
				t.Errorf("got %v, %v; want %s", addr, err, c.want)
			}
			if c.want == "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("error %v, want one with %s", err, c.problem)
			}
		})
	}
	if _, err := command(t.Context(), []string{"/no/such/program"}, commandTimeout); err == nil || !strings.Contains(err.Error(), "/no/such/program: ") {
		t.Errorf("no program: %v", err)
	}
}

// A program that does not end is ended, its children with it.
func TestCommandIsKilled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := command(ctx, []string{"/bin/sh", "-c", "sleep 1000; echo 8.8.4.4"}, commandTimeout)
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

// Its time is over: nothing that it has printed counts, and nothing that it has
// started goes on.
func TestCommandHasItsTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pid")
	// The child holds the output open, and the program ignores what can be ignored.
	script := "trap '' TERM INT HUP; sleep 1000 & echo $! >" + path + "; echo 8.8.4.4; wait; wait"
	_, err := command(t.Context(), []string{"/bin/sh", "-c", script}, 5*time.Second)
	if err == nil || err.Error() != "/bin/sh: no answer within 5s" {
		t.Fatalf("error %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stat := "/proc/" + strings.TrimSpace(string(text)) + "/stat"
	for alive := true; alive; { // whoever adopted the child may take its time to bury it
		text, err := os.ReadFile(stat)
		alive = err == nil && !strings.Contains(string(text), ") Z ")
		runtime.Gosched()
	}
	if commandTimeout != 30*time.Second {
		t.Error("the documentation promises 30 s")
	}
}
