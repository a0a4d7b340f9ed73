package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

const checkUsage = `check [-config PATH]

Validates the configuration. Each error is printed as PATH:LINE: message, and
the exit status is then 1. Nothing is sent to anybody.
`

func checkCommand(fs *flagSet, args []string) int {
	path := configFlag(fs)
	rest, status, done := fs.parse(args)
	if done {
		return status
	}
	if !fs.none(rest) {
		return exitUsage
	}
	cfg, plan, err := loadPlan(*path, "")
	if err != nil {
		printProblems(err)
		return exitFailed
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintf(os.Stderr, "%v (warning)\n", w)
	}
	fmt.Printf("%s: no errors; %s, %s\n", *path, count(len(plan.Records), "address record"), count(len(plan.Accounts), "provider"))
	return exitDone
}

func printProblems(err error) {
	var problems config.Problems
	if !errors.As(err, &problems) {
		complain(err)
		return
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
