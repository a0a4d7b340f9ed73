package main

import (
	"context"
	"slices"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/control"
)

const updateUsage = `update [-config PATH] [-force] [HOSTNAME...]

Asks the running daemon to publish now, all records or the named ones, waits
until they have been tried, and prints the status. Without -force an unchanged
address is not sent again; -force sends it, and tries a refused record again,
but never shortens a wait or lifts a block that the provider has set.
`

func updateCommand(fs *flagSet, args []string) int {
	path := configFlag(fs)
	force := fs.Bool("force", "send unchanged addresses too")
	asJSON := fs.Bool("json", "print JSON")
	hosts, status, done := fs.parse(args)
	if done {
		return status
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := control.Client{Socket: socketOf(*path)}.Update(ctx, hosts, *force)
	if err != nil {
		complain(err)
		return exitFailed
	}
	if len(hosts) > 0 {
		s.Records = slices.DeleteFunc(s.Records, func(r control.Record) bool { return !slices.Contains(hosts, r.Hostname) })
	}
	return printStatus(s, *asJSON)
}
