package importer

import (
	"strings"
	"unicode"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// source is where an address comes from: the body of a table [source.NAME].
// "" is our default, the interface with the default route.
type source string

const (
	allowPrivate = "allow_private = true\n"
	staticSource = "method = \"static\"\n"
)

// usual notes that an address comes from our default source instead of the
// one that the file names, also in the result. Without a wish, all do.
func (im *importer) usual(w *wish, o *option, why string) source {
	im.note(o.line, o.key, ": the address is taken from the interface with the default route: ", why)
	text := o.key + " was " + o.value + ": now the address is taken from the interface with the default route."
	if w == nil {
		im.remarks = append(im.remarks, text)
	} else {
		w.remark(text)
	}
	return ""
}

// checked returns s if our configuration may have it, else our default.
func (im *importer) checked(w *wish, o *option, s string) source {
	if why := im.accepts("[source.x]\n" + s); why != "" {
		return im.usual(w, o, why)
	}
	return source(s)
}

// fromDevice is a source that reads a kernel device.
func (im *importer) fromDevice(w *wish, o *option) source {
	return im.checked(w, o, "method = \"interface\"\ninterface = "+config.Text(o.value)+"\n")
}

// fromCommand is a source that runs a program. Only what needs no shell can be
// carried over.
func (im *importer) fromCommand(w *wish, o *option) source {
	argv, why := argvOf(o.value)
	if why != "" {
		return im.usual(w, o, why)
	}
	return im.checked(w, o, "method = \"command\"\ncommand = "+tomlList(argv)+"\n")
}

// noWay says once of a file that nothing in it says where the address is from.
func (im *importer) noWay(line int) {
	if !im.noUse {
		im.noUse = true
		im.note(line, "no way to find the address is set; it is taken from the interface with the default route, or from beyond it where that has no public one")
	}
}

// echoSource asks services that tell where a request came from.
const echoSource = "method = \"echo\"\n"

// fromWeb is the source instead of a web page at url that shows one's address,
// which o has named: the page itself if it is somebody's own, with its first
// address behind the text of skip, as the other clients have it. The services
// that those clients know by name, or have as their default, are for everybody
// ("" for url): ours are asked instead.
func (im *importer) fromWeb(w *wish, o *option, url string, skip *option) source {
	scheme, _, _ := strings.Cut(strings.ToLower(url), "://")
	if url == "" || strings.Contains(strings.ToLower(url), "//checkip.dyndns.") {
		im.note(o.line, o.key, ": the built-in echo services are asked instead, two of which must agree; method = \"auto\" would ask them only where nothing nearer knows the address")
		if skip != none {
			im.unneeded(skip, "the built-in echo services answer with the address alone")
		}
		return echoSource
	}
	before := ""
	switch {
	case strings.ContainsAny(skip.value, `*\\[](){}|^$+?`):
		im.note(skip.line, skip.key, " is left out: it is a regular expression; the first address of the page counts, unless you write its text into pattern = \"TEXT*{address}\"")
	case skip.value != "":
		before = skip.value + "*"
	}
	s := echoSource + "url = " + config.Text(url) + "\npattern = " + config.Text(before+"{address}") + "\n"
	if scheme == "http" {
		im.note(o.line, o.key, ": the page is asked by plain http, whose answers anybody on the way can change; use https if it has it")
		s += "insecure_http = true\n"
	}
	return im.checked(w, o, s)
}

// argvOf splits a command that needs no shell. why says that it needs one.
func argvOf(command string) (argv []string, why string) {
	if strings.ContainsAny(command, "|&;<>()$`\\\"'*?[]{}~\n") {
		return nil, "it needs a shell, and wanbeacon runs programs without one; put it into a script of its own"
	}
	if strings.ContainsFunc(command, unicode.IsControl) {
		return nil, "it has a control character"
	}
	argv = strings.Fields(command)
	if len(argv) == 0 || !strings.HasPrefix(argv[0], "/") {
		return nil, "the program must be given by its absolute path"
	}
	return argv, ""
}

// with returns the source that is both, of the addresses of two families; ok
// is false if there is none.
func (s source) with(o source) (both source, ok bool) {
	if s == o {
		return s, true
	}
	a, b := string(s), string(o)
	if !strings.HasPrefix(a, staticSource) || !strings.HasPrefix(b, staticSource) || strings.Count(a, "\n") != strings.Count(b, "\n") {
		return s, false
	}
	b = b[len(staticSource):]
	// The second line is ipv4 or ipv6.
	if a[len(staticSource):][:4] == b[:4] {
		return s, false
	}
	first, private := strings.CutSuffix(a, allowPrivate)
	second, _ := strings.CutSuffix(b, allowPrivate)
	if private {
		second += allowPrivate
	}
	return source(first + second), true
}

// name is what a table of the source may be called.
func (s source) name() string {
	_, rest, found := strings.Cut(string(s), "interface = ")
	if !found {
		_, rest, _ = strings.Cut(string(s), "network = ")
	}
	device, _, _ := strings.Cut(rest, "\n")
	if device = tableName(device); device != "" {
		return device
	}
	_, rest, _ = strings.Cut(string(s), "method = \"")
	method, _, _ := strings.Cut(rest, "\"")
	if method == "" {
		return "private"
	}
	return method
}
