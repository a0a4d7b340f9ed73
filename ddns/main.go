// Command wanbeacon is a dynamic-DNS daemon for routers.
//
// It watches the WAN interface's addresses through netlink, tells the DNS
// provider the moment one changes, and says what it does. One file a
// subcommand; this package only wires the rooms of the house together:
// netwatch → address → publish → provider, with config and control beside.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
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
  providers    the providers that are supported; with a name: how to set it up
  import       another client's configuration as ours
  version      the version

The configuration is /etc/wanbeacon/config.toml unless -config says otherwise.
"wanbeacon COMMAND -h" explains a command.
`

// command is one subcommand: it gets its own arguments and the flag set that
// prints its help, and returns the exit status.
type command struct {
	name  string
	usage string // arguments and a sentence or more, for -h
	run   func(fs *flag.FlagSet, args []string) int
}

func commands() []command {
	return []command{
		{"run", runUsage, runCommand},
		{"check", checkUsage, checkCommand},
		{"status", statusUsage, statusCommand},
		{"update", updateUsage, updateCommand},
		{"addresses", addressesUsage, addressesCommand},
		{"providers", providersUsage, providersCommand},
		{"import", importUsage, importCommand},
		{"version", "version\n\nPrints the version alone.\n", versionCommand},
	}
}

func main() { os.Exit(dispatch(os.Args[1:])) }

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
	i := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		fmt.Fprintf(os.Stderr, "wanbeacon: unknown command %q\n\n%s", args[0], usage)
		return exitUsage
	}
	c := all[i]
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return c.run(fs, args[1:])
}

// parse reads flags wherever they stand among the arguments, and returns the
// arguments. done is true when the command has nothing more to do, with the
// exit status it has then.
func parse(fs *flag.FlagSet, args []string) (rest []string, status int, done bool) {
	for {
		err := fs.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			printHelp(os.Stdout, fs)
			return nil, exitDone, true
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "wanbeacon %s: %v; see \"wanbeacon %s -h\"\n", fs.Name(), err, fs.Name())
			return nil, exitUsage, true
		}
		if fs.NArg() == 0 {
			return rest, 0, false
		}
		if last := len(args) - fs.NArg(); last > 0 && args[last-1] == "--" {
			return append(rest, fs.Args()...), 0, false
		}
		rest = append(rest, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

// noArguments refuses arguments where a command takes none.
func noArguments(fs *flag.FlagSet, rest []string) bool {
	if len(rest) == 0 {
		return true
	}
	fmt.Fprintf(os.Stderr, "wanbeacon %s: takes no argument %q; see \"wanbeacon %s -h\"\n", fs.Name(), rest[0], fs.Name())
	return false
}

func printHelp(w io.Writer, fs *flag.FlagSet) {
	for _, c := range commands() {
		if c.name != fs.Name() {
			continue
		}
		fmt.Fprintf(w, "Usage: wanbeacon %s", c.usage)
		any := false
		fs.VisitAll(func(*flag.Flag) { any = true })
		if any {
			fmt.Fprintln(w, "\nFlags:")
			fs.SetOutput(w)
			fs.PrintDefaults()
		}
	}
}

// configFlag is the -config flag that every command with a configuration has.
func configFlag(fs *flag.FlagSet) *string {
	return fs.String("config", defaultConfig, "the configuration `file`")
}

// complain prints an error as the program's own.
func complain(err error) { fmt.Fprintf(os.Stderr, "wanbeacon: %v\n", err) }
