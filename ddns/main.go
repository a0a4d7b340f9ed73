// Command wanbeacon is a dynamic-DNS daemon for routers.
//
// It watches the WAN interface's addresses through netlink, tells the DNS
// provider the moment one changes, and says what it does. One file a
// subcommand; this package only wires the rooms of the house together:
// netwatch → address → publish → provider, with config and control beside.
package main

import (
	"fmt"
	"os"
)

// Exit statuses, as the documentation promises them.
const (
	exitDone   = 0
	exitFailed = 1 // the work failed: a record is blocked, a check found errors
	exitUsage  = 2
)

// Where things are when the configuration cannot say; the same as its defaults.
const (
	defaultConfig       = "/etc/wanbeacon/config.toml"
	defaultSocket       = "/var/run/wanbeacon.sock"
	defaultProvidersDir = "/etc/wanbeacon/providers.d"
)

const usage = `wanbeacon keeps DNS names pointing at this router's WAN address.

Usage: wanbeacon COMMAND [-config PATH] [flags] [arguments]

  run          the daemon: watches, publishes; -once for cron, -dry-run to look
  check        validates the configuration
  status       what is published, what is not and why; -json for programs
  update       asks the running daemon to publish now; -force even if unchanged
  addresses    every address the kernel has, and which ones are taken
  verify       asks the DNS now: delegation, each name server's answer, verdict
  providers    the providers that are supported; with a name: how to set it up
  import       another client's configuration as ours
  rpc          what the router's web page talks to
  version      the version

The configuration is /etc/wanbeacon/config.toml unless -config says otherwise.
"wanbeacon COMMAND -h" explains a command.
`

// command is one subcommand: it gets its own arguments and the flag set that
// prints its help, and returns the exit status.
type command struct {
	name  string
	usage string // arguments and a sentence or more, for -h
	run   func(fs *flagSet, args []string) int
}

func commands() []command {
	return []command{
		{"run", runUsage, runCommand},
		{"check", checkUsage, checkCommand},
		{"status", statusUsage, statusCommand},
		{"update", updateUsage, updateCommand},
		{"addresses", addressesUsage, addressesCommand},
		{"verify", verifyUsage, verifyCommand},
		{"providers", providersUsage, providersCommand},
		{"import", importUsage, importCommand},
		{"rpc", rpcUsage, rpcCommand},
		{"version", "version\n\nPrints the version alone.\n", versionCommand},
	}
}

func main() {
	args := os.Args[1:]
	if isPlugin(os.Args[0]) {
		args = append([]string{"rpc"}, args...)
	}
	os.Exit(dispatch(args))
}

func dispatch(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		fmt.Print(usage)
		return exitDone
	case "-version", "--version":
		args = []string{"version"}
	}
	all := commands()
	i := 0
	for i < len(all) && all[i].name != args[0] {
		i++
	}
	if i == len(all) {
		fmt.Fprintf(os.Stderr, "wanbeacon: unknown command %q\n\n%s", args[0], usage)
		return exitUsage
	}
	c := all[i]
	return c.run(&flagSet{command: c.name}, args[1:])
}

// complain prints an error as the program's own.
func complain(err error) { fmt.Fprintf(os.Stderr, "wanbeacon: %v\n", err) }
