package provider

// Step is one request of the family "steps": what is asked, when, what is
// taken from the reply. Steps run from the first to the last; those whose
// conditions do not hold are passed over. Strings are templates, in which the
// values that earlier steps picked are placeholders too.
type Step struct {
	Name   string `toml:"name"`   // for messages: "zone", "find the record"
	Action string `toml:"action"` // "update": writes an address or a CNAME; "remove"; "": looks something up, for both

	// When and Unless are conditions: "record_id" (has a value), "type = AAAA",
	// "status != active"; several with " && " between them. Values may have *.
	When   string `toml:"when"`
	Unless string `toml:"unless"`

	// Walk: {zone} is tried as the hostname, then without its first label and
	// so on, until the reply is a success and has all that is picked. An
	// account that names its zone has it tried alone.
	Walk bool `toml:"walk"`

	Plain       bool              `toml:"plain"` // without auth and headers of [request], and unsigned
	Sign        SignForm          `toml:"sign"`  // instead of that of the file
	Method      string            `toml:"method"`
	URL         string            `toml:"url"`
	Headers     map[string]string `toml:"headers"`      // besides those of [request]
	ContentType string            `toml:"content_type"` // default: that of [request]
	Body        string            `toml:"body"`

	Reads   string    `toml:"reads"`   // the reply is "json" (default), "xml" or "lines"
	Missing []string  `toml:"missing"` // patterns: what was asked for does not exist, go on with the next step
	Again   []string  `toml:"again"`   // patterns: ask again after Every, at most ten times
	Every   Duration  `toml:"every"`
	Reply   ReplyForm `toml:"reply"` // patterns tried before those of the file

	// Pick names values and the paths that lead to them. A step without an
	// action fails if one is not there, unless Optional.
	Pick     map[string]string `toml:"pick"`
	Optional bool              `toml:"optional"`
	Records  RecordsForm       `toml:"records"`
	Pages    PagesForm         `toml:"pages"`

	// Lasts: what is picked is a token, kept for that long.
	Lasts Duration `toml:"lasts"`
	Done  bool     `toml:"done"` // the last one, if it runs

	form stepForm
}

// RecordsForm finds our record among several of the same name and type: the
// one that has the address already, or that which was published last, or the
// only one; else the first, with a warning. Of it {current} is the address,
// and {others}, {several} and {rest} are of the rest, which stay as they are.
type RecordsForm struct {
	List    string            `toml:"list"`    // path to the records of this hostname and type
	Address string            `toml:"address"` // path from a record to its address; "": not in the reply
	Pick    map[string]string `toml:"pick"`    // paths from our record; one named ttl is kept unless the user has set one
	Other   string            `toml:"other"`   // {others} is this for each of the rest, with {other} for its address,
	Between string            `toml:"between"` // and this between each two

	// Each is the URL of a record where the list has no more than {item}, its id.
	Each string `toml:"each"`

	// Split: the list has texts of several addresses, of both families, cut at
	// this. Those of the other family are among {others}, and not told of.
	Split string `toml:"split"`

	// Always: written even if ours has the address already, as what makes a
	// change take effect is a step of its own, which may have failed before.
	Always bool `toml:"always"`
}

// PagesForm asks for further pages of a list. With Next, {page} is what that
// path leads to, until it leads nowhere, and First at the beginning; without,
// {page} counts from 1 and {offset} from 0 as long as Items has Size elements.
type PagesForm struct {
	Next  string `toml:"next"`
	First string `toml:"first"`
	Items string `toml:"items"`
	Size  int    `toml:"size"`
}

// Text is a placeholder of the file's own, whose text depends on a condition.
type Text struct {
	_    [0]func() // never compared: == would be code
	Name string    `toml:"name"`
	When string    `toml:"when"`
	Text string    `toml:"text"` // a template
	Else string    `toml:"else"`
}

// SignForm is how requests are signed: the name of a function and what it
// needs, as templates.
type SignForm struct {
	With   string `toml:"with"`   // "aws4" and so on
	ID     string `toml:"id"`     // of the key
	Secret string `toml:"secret"` // the key
	Scope  string `toml:"scope"`  // what else the function is told: region, service, API version
}
