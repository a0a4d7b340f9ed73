// Command make writes ddns/provider/builtin.txt, which the program carries, of
// the files in ddns/provider/catalogue. `make catalogue` runs it.
package main

import (
	"fmt"
	"os"

	"github.com/wanbeacon/wanbeacon/ddns/internal/builtin"
)

func main() {
	text, err := builtin.Text("ddns/provider/catalogue")
	if err == nil {
		err = os.WriteFile("ddns/provider/builtin.txt", []byte(text), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
