package main

import (
	"fmt"
)

// version is what `wanbeacon version` prints; releases and packages take it
// from here.
const version = "0.1.0"

func versionCommand(fs *flagSet, args []string) int {
	rest, status, done := fs.parse(args)
	if done {
		return status
	}
	if !fs.none(rest) {
		return exitUsage
	}
	fmt.Println(version)
	return exitDone
}
