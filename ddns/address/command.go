package address

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/program"
)

const commandTimeout = 30 * time.Second

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
	out, complaint, err := program.Run(ctx, argv, nil, nil)
	if err == nil {
		return out, nil
	}
	if err == context.DeadlineExceeded {
		return nil, fmt.Errorf("no answer within %v", commandTimeout)
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(string(complaint)), "\n"); first != "" {
		return nil, fmt.Errorf("%w: %q", err, cut(first, 200))
	}
	return nil, err
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
