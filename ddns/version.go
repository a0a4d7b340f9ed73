package main

import (
	"flag"
	"fmt"
)

// version is what `wanbeacon version` prints; releases and packages take it
// from here.
const version = "0.1.0"

func versionCommand(fs *flag.FlagSet, args []string) int {
	rest, status, done := parse(fs, args)
	if done {
		return status
	}
	if !noArguments(fs, rest) {
		return exitUsage
	}
	fmt.Println(version)
	return exitDone
}
