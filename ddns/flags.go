package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/columns"
)

// flagSet is what a command may be given: -name, --name, -name=value, and
// -name value for those that are not booleans, anywhere among the arguments;
// after "--" everything is an argument. It stands in for package flag, which
// costs 9 kB of a router's flash.
type flagSet struct {
	command string
	list    []commandFlag
}

type commandFlag struct {
	name, help string
	value      string // of what: "FILE"
	text       *string
	on         *bool // a boolean; else text
}

// Bool adds a flag that is false unless given.
func (fs *flagSet) Bool(name, help string) *bool {
	on := new(bool)
	fs.list = append(fs.list, commandFlag{name: name, help: help, on: on})
	return on
}

// String adds a flag with a value, which the help calls by the given name.
func (fs *flagSet) String(name, value, standard, help string) *string {
	text := &standard
	fs.list = append(fs.list, commandFlag{name, help, value, text, nil})
	return text
}

// parse takes the flags and returns the arguments. done is true when the
// command has nothing more to do, with the exit status it has then.
func (fs *flagSet) parse(args []string) (rest []string, status int, done bool) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			return append(rest, args...), 0, false
		}
		name, dashed := strings.CutPrefix(arg, "-")
		if !dashed || name == "" {
			rest = append(rest, arg)
			continue
		}
		name, value, given := strings.Cut(strings.TrimPrefix(name, "-"), "=")
		if name == "h" || name == "help" {
			fs.printHelp(os.Stdout)
			return nil, exitDone, true
		}
		f := fs.find(name)
		switch {
		case f == nil:
			return fs.wrong("there is no flag -" + name)
		case f.on != nil:
			on, err := true, error(nil)
			if given {
				on, err = strconv.ParseBool(value)
			}
			if err != nil {
				return fs.wrong(fmt.Sprintf("-%s is true or false, not %q", name, value))
			}
			*f.on = on
		default:
			if !given {
				if len(args) == 0 {
					return fs.wrong("-" + name + " needs a value")
				}
				value, args = args[0], args[1:]
			}
			*f.text = value
		}
	}
	return rest, 0, false
}

func (fs *flagSet) find(name string) *commandFlag {
	for i := range fs.list {
		if fs.list[i].name == name {
			return &fs.list[i]
		}
	}
	return nil
}

func (fs *flagSet) wrong(what string) (rest []string, status int, done bool) {
	fmt.Fprintf(os.Stderr, "wanbeacon %s: %s; see \"wanbeacon %s -h\"\n", fs.command, what, fs.command)
	return nil, exitUsage, true
}

// none refuses arguments where a command takes none.
func (fs *flagSet) none(rest []string) bool {
	if len(rest) == 0 {
		return true
	}
	fs.wrong(fmt.Sprintf("takes no argument %q", rest[0]))
	return false
}

func (fs *flagSet) printHelp(w io.Writer) {
	for _, c := range commands() {
		if c.name == fs.command {
			fmt.Fprintf(w, "Usage: wanbeacon %s", c.usage)
		}
	}
	if len(fs.list) == 0 {
		return
	}
	fmt.Fprintln(w, "\nFlags:")
	t := columns.NewWriter(w)
	for _, f := range fs.list {
		help := f.help
		if f.on == nil && *f.text != "" {
			help += " (default " + *f.text + ")"
		}
		fmt.Fprintf(t, "  -%s\t%s\n", strings.TrimSpace(f.name+" "+f.value), help)
	}
	t.Flush()
}

// configFlag is the -config flag that every command with a configuration has.
func configFlag(fs *flagSet) *string {
	return fs.String("config", "FILE", defaultConfig, "the configuration file")
}
