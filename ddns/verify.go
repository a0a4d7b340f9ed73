package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/control"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/publish"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

const verifyUsage = `verify [-config PATH] [-json] [HOSTNAME...]

Asks the DNS now what it says of all records or the named ones: the delegation
from the root down, each authoritative server's answer, and the verdict. The
running daemon does it; without one it is done from the configuration and the
saved state. The exit status is 1 if a record is stale, dark or diverted.
`

func verifyCommand(fs *flagSet, args []string) int {
	path, asJSON := configFlag(fs), fs.Bool("json", "print JSON")
	hosts, status, done := fs.parse(args)
	if done {
		return status
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	v, err := control.Client{Socket: socketOf(*path)}.Verify(ctx, hosts)
	if errors.Is(err, control.ErrNotRunning) {
		v, err = verifyAlone(ctx, *path, hosts)
	}
	if err != nil {
		printProblems(err)
		return exitFailed
	}
	if *asJSON {
		printJSON(v)
	} else {
		v.Print(os.Stdout)
	}
	if v.Alarm() {
		return exitFailed
	}
	return exitDone
}

// verifyAlone verifies what the saved state says was published.
func verifyAlone(ctx context.Context, path string, hosts []string) (*control.Verification, error) {
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	salt, saved := publish.Peek(cfg.Daemon.StateDir, rand.Text())
	plan, problems := newPlan(cfg, salt)
	if len(problems) > 0 {
		return nil, problems
	}
	findings, unknown := publish.LookAlone(ctx, plan, saved, hostnames(hosts))
	if err := unknownHosts(unknown); err != nil {
		return nil, err
	}
	v := new(control.Verification)
	v.FillFindings(findings)
	return v, nil
}

// lookout looks at the DNS as the configuration says.
type lookout struct{ net witness.Net }

func newLookout(cfg *config.Config) *lookout {
	l := &lookout{}
	l.net.Resolvers = func() []netip.AddrPort {
		if cfg.Verify.Resolver.IsValid() {
			return []netip.AddrPort{cfg.Verify.Resolver}
		}
		return provider.NameServers()
	}
	if cfg.Verify.DoH != "" {
		client := provider.NewClient(provider.Options{Version: version, CAFile: cfg.Daemon.CAFile, Timeout: cfg.Daemon.Timeout, HTTP2: true})
		l.net.URL = cfg.Verify.DoH
		l.net.HTTPS = func(ctx context.Context, device string, source netip.Addr, message []byte) ([]byte, error) {
			r, err := client.Do(ctx, provider.Call{Method: "POST", URL: cfg.Verify.DoH, Body: string(message), Device: device, From: source, Loose: true,
				Header: [][2]string{{"Content-Type", "application/dns-message"}, {"Accept", "application/dns-message"}}})
			switch {
			case err != nil:
				return nil, err
			case r.Status != 200:
				return nil, fmt.Errorf("HTTP status %d", r.Status)
			}
			return []byte(r.Body), nil
		}
	}
	return l
}

// Verify implements publish.Verifier.
func (l *lookout) Verify(ctx context.Context, k *publish.Check) *witness.Facts {
	return k.Run(ctx, l.net.Via(k.Origin.Device, k.Origin.Addr))
}
