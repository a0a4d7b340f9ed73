package address

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"strings"
	"time"
)

const (
	commandTimeout = 30 * time.Second
	commandOutput  = 4096 // bytes of output that are read
)

// Ask runs the program of a source with `method = "command"` and reads the
// address from the first line that it prints. The program is run by argv,
// without a shell, and killed after 30 s or when ctx ends.
func Ask(ctx context.Context, name string, argv []string) External {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	out, err := output(ctx, argv)
	if err != nil {
		return External{Source: name, Err: fmt.Errorf("%s: %w", argv[0], err)}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	line = strings.TrimSpace(line)
	addr, err := netip.ParseAddr(line)
	if err != nil || addr.Zone() != "" {
		return External{Source: name, Err: fmt.Errorf("%s printed %q, which is no IP address", argv[0], cut(line, 80))}
	}
	return External{Source: name, Addrs: []netip.Addr{addr.Unmap()}}
}

func output(ctx context.Context, argv []string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second // a grandchild may hold the pipes open
	var out, complaint bytes.Buffer
	cmd.Stdout = &limited{w: &out, left: commandOutput}
	cmd.Stderr = &limited{w: &complaint, left: commandOutput}
	if err := cmd.Run(); err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			return nil, fmt.Errorf("no answer within %v", commandTimeout)
		}
		if first, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n"); first != "" {
			return nil, fmt.Errorf("%w: %q", err, cut(first, 200))
		}
		return nil, err
	}
	return out.Bytes(), nil
}

// limited passes on the first bytes and swallows the rest.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	n := min(len(b), l.left)
	l.left -= n
	if _, err := l.w.Write(b[:n]); err != nil {
		return 0, err
	}
	return len(b), nil
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
