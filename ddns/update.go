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
		asked := s.Records[:0]
		for i := range s.Records {
			if slices.Contains(hosts, s.Records[i].Hostname) {
				asked = append(asked, s.Records[i])
			}
		}
		s.Records = asked
	}
	return printStatus(s, *asJSON)
}
