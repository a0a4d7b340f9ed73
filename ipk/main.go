package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
)

const usage = `ipk makes OpenWrt packages of wanbeacon.

  ipk packages [-only ARCH,…] [-bin DIR] [-out DIR] [-epoch SECONDS]
        from the binaries in DIR/TARGET/wanbeacon
  ipk feed [-in DIR] [-keys DIR] [-out DIR] [-epoch SECONDS]
        from the packages in DIR
  ipk keys [-keys DIR]
        new keys for a feed
  ipk targets [-only ARCH,…]
        which of the Makefile's targets the packages need

It is run from the project's folder; the Makefile's targets packages, feed and
feed-keys do it.
`

// release is the packages' own number; it grows when they change and the
// program does not.
const release = "r1"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	fs := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	fs.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	var (
		bin   = fs.String("bin", "bin", "")
		dist  = fs.String("in", "dist", "")
		out   = fs.String("out", "", "")
		keys  = fs.String("keys", "keys", "")
		only  = fs.String("only", "", "")
		epoch = fs.Int64("epoch", 0, "")
	)
	fs.Parse(os.Args[2:])
	if fs.NArg() > 0 {
		fs.Usage()
		os.Exit(2)
	}
	if err := run(os.Args[1], *bin, *dist, *out, *keys, *only, *epoch); err != nil {
		fmt.Fprintf(os.Stderr, "ipk %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func run(command, bin, dist, out, keyDir, only string, epoch int64) error {
	var archs []string
	if only != "" {
		archs = strings.Split(only, ",")
	}
	switch command {
	case "packages":
		version, err := programVersion("ddns/version.go")
		if err != nil {
			return err
		}
		s := &source{root: ".", bin: bin, version: version + "-" + release, epoch: epoch}
		return s.build(or(out, "dist"), archs)
	case "feed":
		k, err := readKeys(keyDir)
		if err != nil {
			return err
		}
		return feed(dist, or(out, "dist/feed"), k, epoch)
	case "keys":
		return makeKeys(keyDir)
	case "targets":
		fmt.Println(strings.Join(targets(archs), " "))
		return nil
	}
	return fmt.Errorf("no such command\n\n%s", usage)
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// targets are the binaries that the architectures need, each once.
func targets(only []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, a := range architectures {
		if wanted(only, a.name) && !seen[a.target] {
			seen[a.target] = true
			out = append(out, a.target)
		}
	}
	return out
}

// programVersion reads the version out of the program's source.
func programVersion(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`(?m)^const version = "([^"]+)"$`).FindSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("%s: no version", file)
	}
	return string(m[1]), nil
}
