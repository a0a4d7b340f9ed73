package lab

import (
	"fmt"
	"os"
	"path/filepath"
)

// Show runs a program that shows in the laboratory what the wanbeacon binary
// does which its one argument names, and exits.
func Show(f func(tb TB, binary string)) {
	if len(os.Args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: %s WANBEACON-BINARY\n", filepath.Base(os.Args[0]))
		os.Exit(2)
	}
	binary, err := filepath.Abs(os.Args[1])
	if err == nil {
		err = BecomeRoot()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(Run(func(tb TB) { f(tb, binary) }))
}
