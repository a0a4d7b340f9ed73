package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/control"
	"github.com/wanbeacon/wanbeacon/ddns/ubus"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

const addressesUsage = `addresses [-config PATH] [-json]

Prints every address that the kernel has, which one each source takes, and why
each other was passed over. Works without the daemon, too.
`

func addressesCommand(fs *flagSet, args []string) int {
	path, asJSON := configFlag(fs), fs.Bool("json", "print JSON")
	rest, status, done := fs.parse(args)
	if done {
		return status
	}
	if !fs.none(rest) {
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	a, err := control.Client{Socket: socketOf(*path)}.Addresses(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		a, err = addressesNow(ctx, *path)
	}
	if err != nil {
		printProblems(err)
		return exitFailed
	}
	if *asJSON {
		printJSON(a)
	} else {
		a.Print(os.Stdout)
	}
	return exitDone
}

// addressesNow asks the kernel and all that the sources ask themselves.
func addressesNow(ctx context.Context, path string) (*control.Addresses, error) {
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	snap, err := netwatch.Take(address.Hosts(cfg.Sources)...)
	if err != nil {
		return nil, err
	}
	set := address.NewSet(cfg.Sources)
	for _, s := range cfg.Sources {
		if s.Network != "" {
			n := ubus.Look(ctx)
			set.Networks(n.Devices, n.Err)
			break
		}
	}
	newOutside(cfg).Fill(ctx, set, snap)
	a := new(control.Addresses)
	a.FillAddresses(set.Explain(snap))
	return a, nil
}
