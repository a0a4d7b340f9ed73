package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/control"
	"github.com/wanbeacon/wanbeacon/ddns/json"
)

const statusUsage = `status [-config PATH] [-json]

Prints what the running daemon has published, what it has not, and why. The
exit status is 1 if a record is blocked or nothing answers.
`

func statusCommand(fs *flagSet, args []string) int {
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
	s, err := control.Client{Socket: socketOf(*path)}.Status(ctx)
	if err != nil {
		complain(err)
		return exitFailed
	}
	return printStatus(s, *asJSON)
}

// socketOf finds the daemon's socket. A configuration that has just been
// broken must not keep its user from asking the daemon that still runs, so the
// line with the socket is then looked for by itself.
func socketOf(path string) string {
	if cfg, err := config.Load(path); err == nil {
		return cfg.Daemon.Socket
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return defaultSocket
	}
	for _, line := range strings.Split(string(text), "\n") {
		key, value, _ := strings.Cut(line, "=")
		if strings.TrimSpace(key) != "socket" {
			continue
		}
		value, _, _ = strings.Cut(strings.TrimSpace(value), "#")
		return strings.Trim(value, "\"' \t\r\n")
	}
	return defaultSocket
}

func printStatus(s *control.Status, asJSON bool) int {
	if asJSON {
		printJSON(s)
	} else {
		s.Print(os.Stdout, time.Now())
	}
	for _, r := range s.Records {
		if r.State == "blocked" {
			return exitFailed
		}
	}
	return exitDone
}

func printJSON(v any) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		complain(err)
	}
	os.Stdout.Write(append(text, '\n'))
}
