package program

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func shell(script string) []string { return []string{"/bin/sh", "-c", script} }

func TestRuns(t *testing.T) {
	t.Setenv("WANBEACON_TEST", "inherited")
	for _, c := range []struct {
		name           string
		argv, env      []string
		input          string
		out, complaint string
		err            string
	}{
		{name: "both outputs", argv: shell("echo out; echo err >&2"), out: "out\n", complaint: "err\n"},
		{name: "arguments as they are", argv: []string{"/bin/sh", "-c", `echo "$0|$1"`, "a b", "$x;*"}, out: "a b|$x;*\n"},
		{name: "exit status", argv: shell("echo why >&2; exit 3"), complaint: "why\n", err: "exit status 3"},
		{name: "signal", argv: shell("kill -15 $$"), err: "ended by signal 15 (terminated)"},
		{name: "no such program", argv: []string{"/nonexistent/program"}, err: "no such file or directory"},
		{name: "no program", argv: []string{"/etc/passwd"}, err: "permission denied"},
		{name: "our environment", argv: shell("echo $WANBEACON_TEST"), out: "inherited\n"},
		{name: "an environment", argv: shell("echo $WANBEACON_TEST$A"), env: []string{"A=b"}, out: "b\n"},
		{name: "input", argv: shell("cat"), input: "line\n", out: "line\n"},
		{name: "input that nobody reads", argv: shell("echo x"), input: strings.Repeat("x", 1<<20), out: "x\n"},
		{name: "no input", argv: shell("cat; echo end"), out: "end\n"},
		{name: "too much output", argv: shell("yes | head -c 1000000; yes | head -c 1000000 >&2"),
			out: strings.Repeat("y\n", maxOutput/2), complaint: strings.Repeat("y\n", maxOutput/2)},
		{name: "a descendant that holds the output", argv: shell("echo x; sleep 20 & "), out: "x\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, complaint, err := Run(t.Context(), c.argv, c.env, []byte(c.input))
			got := ""
			if err != nil {
				got = err.Error()
			}
			if string(out) != c.out || string(complaint) != c.complaint || got != c.err {
				t.Errorf("%.80q, %.80q, %v", out, complaint, err)
			}
		})
	}
}

func TestEndOfContextKillsDescendantsToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, _, err := Run(ctx, shell("sleep 600 & echo $! >"+path+"; wait"), nil, nil)
		done <- err
	}()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(process)
	cancel()
	if err := <-done; err != context.Canceled {
		t.Error(err)
	}
	// A pidfd becomes readable at the end, whoever has adopted the process.
	for {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(process), Events: unix.POLLIN}}, -1); err != unix.EINTR {
			if err != nil {
				t.Error(err)
			}
			break
		}
	}
}

func TestNothingRunsAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	path := filepath.Join(t.TempDir(), "ran")
	if _, _, err := Run(ctx, shell("touch "+path), nil, nil); err != context.DeadlineExceeded {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("it ran")
	}
}
