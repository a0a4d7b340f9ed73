package importer

import (
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// option is one option of the foreign file. They are handed on as pointers:
// a default that holds for many accounts is one option, and code that copies
// structures is large on small machines.
type option struct {
	_          [0]func() // never compared: == would be code
	key, value string
	line       int

	used   bool   // it became something
	unused string // one account had no use for it, and why
}

// none is the option that is not there.
var none = &option{}

// find returns the option of a key; none if there is none.
func find(options []*option, key string) *option {
	for _, o := range options {
		if o.key == key {
			return o
		}
	}
	return none
}

// wish is what one section of the foreign file asks for: some hostnames at
// some service. The parsers make wishes, and know nothing of our form.
type wish struct {
	line  int
	label string // what the user knows the section by: "provider no-ip.com:2"
	name  string // for a table of the user's own; "": the provider's name

	service string  // as the file has it
	known   service // its line in our table; "": there is none
	custom  *custom // the user's own URL, instead of a service
	refused string  // why it cannot be carried over; "": it can

	options  []*option // what the service needs, under the other client's names
	hosts    []*option // hostnames as written; the value is the name
	lookup   *option   // the hostname where the options have something else; or nil
	families []config.Family
	sources  [2]source // for IPv4, for IPv6

	server   *option // another server than the service's own; or nil
	plain    bool    // over http
	force    time.Duration
	ttl      *option // or nil
	disabled bool
	onChange []string
	remarks  []string // for comments above the records
}

// custom is an update URL of the user's own, with our placeholders.
type custom struct {
	_       [0]func() // never compared: == would be code
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
	caFile  *option  // for all requests; or nil
	timeout *option  // of one request, the value in our form; or nil
	level   string   // of the log; "": the default
	remarks []string // for comments at the top

	// What has been found out on the way.
	names     names
	byContent map[string]*account             // type and body
	accepted  map[string]bool                 // texts that our configuration may have
	defs      map[string]*provider.Definition // by type
	unused    []*option                       // that have had no use at least once
	noUse     bool                            // it has been said that nothing says how the address is found
	includes  int                             // files read
	hosts     int                             // in the wishes
	full      bool                            // and no more
	size      int                             // bytes of the accounts
	asideSize int                             // bytes of the refused blocks

	// The result.
	accounts []*account
	records  []*record
	refused  []string // blocks that are comments
}

func newImporter(opt Options) *importer {
	return &importer{opt: opt, names: names{}, byContent: map[string]*account{}, accepted: map[string]bool{}, defs: map[string]*provider.Definition{}}
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
func (im *importer) note(line int, words ...string) {
	im.notes = append(im.notes, Note{line, printable(strings.Join(words, ""), 400)})
}

// unneeded records an option that has no equivalent, with the reason.
func (im *importer) unneeded(o *option, why string) {
	im.note(o.line, o.key, " is left out: ", why)
}

// unneededHere records an option that one account has no use for. Defaults
// hold for many accounts, so that it is only said if no other one has either.
func (im *importer) unneededHere(o *option, why string) {
	if o.unused == "" {
		o.unused = why
		im.unused = append(im.unused, o)
	}
}

// accepts reports why our own configuration may not have the text; "": it may.
// It is asked about single tables.
func (im *importer) accepts(text string) string {
	if im.accepted[text] {
		return ""
	}
	_, err := config.Parse("", []byte(text))
	if err == nil {
		im.accepted[text] = true
		return ""
	}
	_, message, _ := strings.Cut(err.Error(), " ") // no path, only a line
	message, _, _ = strings.Cut(message, "\n")
	return message
}

// isHostname reports whether s may be the hostname of a record.
func (im *importer) isHostname(s string) bool {
	return im.accepts("[provider.x]\n[[record]]\nprovider = \"x\"\nhostname = "+config.Text(s)+"\n") == ""
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
func (im *importer) host(w *wish, h *option) {
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

func (w *wish) remark(words ...string) { w.remarks = append(w.remarks, strings.Join(words, "")) }

// source returns where the address of a family is from.
func (w *wish) source(f config.Family) *source {
	if f == config.IPv6 {
		return &w.sources[1]
	}
	return &w.sources[0]
}
