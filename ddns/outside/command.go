package outside

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/program"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

const commandTimeout = 30 * time.Second

// command runs the program of a source with `method = "command"` and reads the
// address from the first line that it prints. The program is run by argv,
// without a shell, and killed with everything that it has started at the end
// of the time, or of ctx. What it has printed by then does not count.
func command(ctx context.Context, argv []string, timeout time.Duration) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, complaint, err := program.Run(ctx, argv, nil, nil)
	line := firstLine(out)
	addr, noAddr := netip.ParseAddr(line)
	switch {
	case err == context.DeadlineExceeded:
		err = fmt.Errorf("no answer within %v", timeout)
	case err != nil:
		if first := firstLine(complaint); first != "" {
			err = fmt.Errorf("%w: %s", err, provider.Quote(first))
		}
	case line == "":
		return netip.Addr{}, fmt.Errorf("%s printed nothing", argv[0])
	case noAddr != nil || addr.Zone() != "":
		return netip.Addr{}, fmt.Errorf("%s printed %s, which is no IP address", argv[0], provider.Quote(line))
	default:
		return addr.Unmap(), nil
	}
	return netip.Addr{}, fmt.Errorf("%s: %w", argv[0], err)
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return strings.TrimSpace(line)
}
