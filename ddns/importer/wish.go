package importer

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// option is one option of the foreign file.
type option struct {
	key, value string
	line       int
}

// wish is what one section of the foreign file asks for: some hostnames at
// some service. The parsers make wishes, and know nothing of our form.
type wish struct {
	line  int
	label string // what the user knows the section by: "provider no-ip.com:2"
	name  string // for a table of the user's own; "": the provider's name

	service string   // as the file has it
	known   *service // nil: there is no such service in our table
	custom  *custom  // the user's own URL, instead of a service
	refused string   // why it cannot be carried over; "": it can

	options  []option // what the service needs, under the other client's names
	hosts    []option // hostnames as written; the value is the name
	lookup   option   // the hostname where the options have something else
	families []config.Family
	sources  [2]source // for IPv4, for IPv6

	server   option // another server than the service's own
	plain    bool   // over http
	bind     string
	force    time.Duration
	ttl      option
	disabled bool
	onChange []string
	remarks  []string // for comments above the records
}

// custom is an update URL of the user's own, with our placeholders.
type custom struct {
	url     string
	server  string // if the URL is that of the protocol dyndns2 at a server; ""
	success string // pattern; "": any status 2xx
	same    string // pattern of "it was so already"; ""
}

// importer collects what becomes of a file.
type importer struct {
	opt    Options
	wishes []*wish
	notes  []Note

	// What the file says of all its accounts.
	private bool     // publish addresses that are not public
	caFile  option   // for all requests
	timeout option   // of one request; the value is in our form
	level   string   // of the log; "": the default
	remarks []string // for comments at the top

	// What has been found out on the way.
	accepted  map[string]bool                 // texts that our configuration may have
	defs      map[string]*provider.Definition // by type
	used      map[option]bool                 // options that became something
	unused    map[option]string               // options that did not, at least once, and why
	noUse     bool                            // it has been said that ddclient has no way to find the address
	includes  int                             // files read
	hosts     int                             // in the wishes
	full      bool                            // and no more
	size      int                             // bytes of the accounts
	asideSize int                             // bytes of the refused blocks

	// The result.
	sources  []source // those in use, in order
	accounts []*account
	records  []*record
	refused  []string // blocks that are comments
}

func newImporter(opt Options) *importer {
	return &importer{opt: opt, accepted: map[string]bool{}, defs: map[string]*provider.Definition{},
		used: map[option]bool{}, unused: map[option]string{}}
}

// What a file may ask for. More is no router's configuration, and would only
// take time.
const (
	maxWishes  = 1000
	maxHosts   = 4000
	maxOptions = 100 // of a section
	maxValue   = 16 << 10
	maxResult  = 512 << 10 // bytes of accounts, and of comments
)

// note records what is not carried over.
func (im *importer) note(line int, format string, args ...any) {
	im.notes = append(im.notes, Note{line, printable(fmt.Sprintf(format, args...), 400)})
}

// unneededHere records an option that one account has no use for. Defaults
// hold for many accounts, so that it is only said if no other one has either.
func (im *importer) unneededHere(o option, why string) {
	if im.unused[o] == "" {
		im.unused[o] = why
	}
}

// unneeded records an option that has no equivalent, with the reason.
func (im *importer) unneeded(o option, why string) {
	im.note(o.line, "%s is left out: %s", o.key, why)
}

// accepts reports whether our own configuration may have the text, and if not,
// why. It is asked about single tables.
func (im *importer) accepts(text string) (string, bool) {
	if im.accepted[text] {
		return "", true
	}
	_, err := config.Parse("", []byte(text))
	if err == nil {
		im.accepted[text] = true
		return "", true
	}
	_, message, _ := strings.Cut(err.Error(), " ") // no path, only a line
	message, _, _ = strings.Cut(message, "\n")
	return message, false
}

// isHostname reports whether s may be the hostname of a record.
func (im *importer) isHostname(s string) bool {
	_, ok := im.accepts("[provider.x]\n[[record]]\nprovider = \"x\"\nhostname = " + tomlText(s) + "\n")
	return ok
}

// source is where an address comes from; its zero value is our default.
type source struct {
	method  string // "", "interface", "static", "command"
	device  string // interface
	ipv4    string // static
	ipv6    string
	command string // argv, with NUL between the words
	private bool
}

// text is the body of the table [source.NAME].
func (s source) text() string {
	var b strings.Builder
	line := func(key, value string) { b.WriteString(key + " = " + value + "\n") }
	if s.method != "" {
		line("method", tomlText(s.method))
	}
	if s.device != "" {
		line("interface", tomlText(s.device))
	}
	if s.ipv4 != "" {
		line("ipv4", tomlText(s.ipv4))
	}
	if s.ipv6 != "" {
		line("ipv6", tomlText(s.ipv6))
	}
	if s.command != "" {
		line("command", tomlList(strings.Split(s.command, "\x00")))
	}
	if s.private {
		line("allow_private", "true")
	}
	return b.String()
}

// usual notes that an address comes from our default source instead of the
// one that the file names, also in the result. Without a wish, all do.
func (im *importer) usual(w *wish, o option, why string) source {
	im.note(o.line, "%s: the address is taken from the interface with the default route: %s", o.key, why)
	text := o.key + " was " + o.value + ": now the address is taken from the interface with the default route."
	if w == nil {
		im.remarks = append(im.remarks, text)
	} else {
		w.remarks = append(w.remarks, text)
	}
	return source{}
}

// fromDevice is a source that reads a kernel device.
func (im *importer) fromDevice(w *wish, o option) source {
	s := source{method: "interface", device: o.value}
	if why, ok := im.accepts("[source.x]\n" + s.text()); !ok {
		return im.usual(w, o, why)
	}
	return s
}

// fromCommand is a source that runs a program. Only what needs no shell can be
// carried over.
func (im *importer) fromCommand(w *wish, o option) source {
	argv, why := argvOf(o.value)
	s := source{method: "command", command: strings.Join(argv, "\x00")}
	if why == "" {
		var ok bool
		if why, ok = im.accepts("[source.x]\n" + s.text()); ok {
			return s
		}
	}
	return im.usual(w, o, why)
}

// fromWeb is the source instead of a web page that shows one's address.
func (im *importer) fromWeb(w *wish, o option) source {
	return im.usual(w, o, "web look-ups are not supported yet")
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

// wish adds what a section asks for.
func (im *importer) wish(w *wish) {
	im.hosts += len(w.hosts)
	if len(im.wishes) < maxWishes && im.hosts <= maxHosts {
		im.wishes = append(im.wishes, w)
	} else {
		im.tooMuch(w.line)
	}
}

// host adds a hostname to a wish that has been added.
func (im *importer) host(w *wish, h option) {
	if im.hosts++; im.hosts <= maxHosts {
		w.hosts = append(w.hosts, h)
	} else {
		im.tooMuch(h.line)
	}
}

func (im *importer) tooMuch(line int) {
	if !im.full {
		im.note(line, "what is more than wanbeacon imports is left out, from here on")
	}
	im.full = true
}

// both sets the families of a wish, IPv4 first.
func (w *wish) both(families ...config.Family) {
	slices.Sort(families)
	w.families = families
}

func (w *wish) source(f config.Family) *source {
	if f == config.IPv6 {
		return &w.sources[1]
	}
	return &w.sources[0]
}

func (w *wish) remark(format string, args ...any) {
	w.remarks = append(w.remarks, fmt.Sprintf(format, args...))
}
