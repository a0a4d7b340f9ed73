package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/control"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/rpcd"
)

const rpcUsage = `rpc [-config PATH] list
       wanbeacon rpc [-config PATH] call METHOD <ARGUMENTS.json

The ubus object "wanbeacon", as rpcd asks its plugins; docs/rpc.md has the
methods. Started as …/rpcd/wanbeacon, the program does just this.
`

const (
	maxArguments = 1 << 20         // bytes; a ubus message is no longer
	argumentWait = 5 * time.Second // for the arguments to come
)

func rpcCommand(fs *flagSet, args []string) int {
	path := configFlag(fs)
	rest, status, done := fs.parse(args)
	switch {
	case done:
		return status
	case len(rest) == 1 && rest[0] == "list":
		fmt.Println(rpcd.List)
		return exitDone
	case len(rest) != 2 || rest[0] != "call":
		fmt.Fprintln(os.Stderr, "wanbeacon rpc: takes list, or call and a method; see \"wanbeacon rpc -h\"")
		return exitUsage
	}
	object := rpcd.Object{
		Path: *path, Version: version,
		Socket:    func() string { return socketOf(*path) },
		Catalogue: func() (*provider.Catalogue, []error) { return provider.Open(providersDirOf(*path)) },
		Check: func(cfg *config.Config) config.Problems {
			_, problems := newPlan(cfg, "")
			return problems
		},
		Addresses: func(ctx context.Context) (*control.Addresses, error) { return addressesNow(ctx, *path) },
	}
	os.Stdout.Write(append(object.Call(context.Background(), rest[1], arguments()), '\n'))
	return exitDone
}

// arguments reads standard input to its end. Who leaves it open and says
// nothing must not hold up rpcd.
func arguments() []byte {
	got := make(chan []byte, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(os.Stdin, maxArguments))
		got <- text
	}()
	select {
	case text := <-got:
		return text
	case <-time.After(argumentWait):
		return nil
	}
}

// isPlugin reports whether the program was started as rpcd's plugin.
func isPlugin(argv0 string) bool {
	return filepath.Base(filepath.Dir(argv0)) == "rpcd"
}
