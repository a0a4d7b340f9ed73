package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/wanbeacon/wanbeacon/ddns/importer"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

const importUsage = `import [-config PATH] ddns-scripts|inadyn|ddclient FILE

Prints the configuration that does what FILE, of that program, does. What
cannot be carried over is named on standard error, as FILE:LINE: message. The
result holds the secrets of FILE:

  umask 077; wanbeacon import inadyn /etc/inadyn.conf >config.toml
`

func importCommand(fs *flagSet, args []string) int {
	path := configFlag(fs)
	rest, status, done := fs.parse(args)
	if done {
		return status
	}
	if len(rest) != 2 {
		fmt.Fprintln(os.Stderr, "wanbeacon import: takes the name of a program and one file; see \"wanbeacon import -h\"")
		return exitUsage
	}
	read := map[string]func([]byte, importer.Options) (importer.Result, error){
		"ddns-scripts": importer.DDNSScripts, "inadyn": importer.Inadyn, "ddclient": importer.DDClient,
	}[rest[0]]
	if read == nil {
		fmt.Fprintf(os.Stderr, "wanbeacon import: there is no %q; it is ddns-scripts, inadyn or ddclient\n", rest[0])
		return exitUsage
	}
	file := rest[1]
	text, err := importer.ReadFile(file)
	if err != nil {
		complain(fmt.Errorf("%s: %w", file, err))
		return exitFailed
	}
	catalogue, broken := provider.Open(providersDirOf(*path))
	for _, err := range broken {
		complain(err)
	}
	home, _ := os.UserHomeDir()
	result, err := read(text, importer.Options{
		Catalogue: catalogue, ReadFile: importer.ReadFile, Getenv: os.LookupEnv,
		Dir: filepath.Dir(file), Home: home,
	})
	if err != nil {
		complain(fmt.Errorf("%s: %w", file, err))
		return exitFailed
	}
	for _, n := range result.Notes {
		if n.Line == 0 {
			fmt.Fprintf(os.Stderr, "%s: %s\n", file, n.Message)
		} else {
			fmt.Fprintf(os.Stderr, "%s:%d: %s\n", file, n.Line, n.Message)
		}
	}
	if _, err := os.Stdout.Write(result.Config); err != nil {
		complain(err)
		return exitFailed
	}
	if result.Providers == 0 {
		complain(fmt.Errorf("%s: nothing could be carried over", file))
		return exitFailed
	}
	return exitDone
}
