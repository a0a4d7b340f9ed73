package provider

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Definition is one provider as its catalogue file describes it. The exported
// fields are what the file says, and are never changed after Lookup returned.
type Definition struct {
	Name string `toml:"-"` // the file's name without ".toml"
	Path string `toml:"-"` // of the file; "built-in/NAME.toml" for ours

	Title  string   `toml:"title"`
	Family string   `toml:"family"` // "dyndns2", "template", "steps", "generic", "rfc2136"
	Docs   []string `toml:"docs"`   // where the provider documents this, best first
	Notes  []string `toml:"notes"`  // for people: what to know, one sentence each

	URL      URLs              `toml:"url"`
	Request  RequestForm       `toml:"request"`
	Remove   RemoveForm        `toml:"remove"`
	CNAME    CNAMEForm         `toml:"cname"`
	Hosts    HostForm          `toml:"hosts"`
	Limits   LimitForm         `toml:"limits"`
	Record   RecordForm        `toml:"record"`
	DNS      DNSForm           `toml:"dns"`
	Fields   []Field           `toml:"field"`
	Reply    ReplyForm         `toml:"reply"`
	Sign     SignForm          `toml:"sign"`
	Texts    []Text            `toml:"text"`
	Steps    []Step            `toml:"step"`
	Words    map[string]string `toml:"words"` // dyndns2: further first words, with their class
	Sample   Sample            `toml:"sample"`
	Examples []Example         `toml:"example"`

	// Cache: the values that steps pick which are kept in memory, so that the
	// next update needs fewer requests. A reply that one of ForgetOn matches
	// says that they hold no longer: they are looked up again, once.
	Cache    []string `toml:"cache"`
	ForgetOn []string `toml:"forget_on"`

	// Missing names the classes for which no example can exist, with the
	// reason: unchanged = "it never says so".
	Missing map[string]string `toml:"missing"`

	forms forms // compiled
}

// URLs are the templates of the request's URL. An empty one: not possible.
type URLs struct {
	IPv4 string `toml:"ipv4"` // sets the IPv4 address alone
	IPv6 string `toml:"ipv6"` // sets the IPv6 address alone
	Both string `toml:"both"` // sets both
}

// RequestForm is the rest of the request. All strings but Method and Auth are templates.
type RequestForm struct {
	Method      string            `toml:"method"` // default "GET"
	Auth        string            `toml:"auth"`   // "none" (default) or "basic"
	Username    string            `toml:"username"`
	Password    string            `toml:"password"`
	UserAgent   string            `toml:"user_agent"`
	Headers     map[string]string `toml:"headers"`
	ContentType string            `toml:"content_type"` // of the body; decides how values in it are escaped
	Body        string            `toml:"body"`
	BodyBoth    string            `toml:"body_both"` // instead of body, with url.both; default: body

	// ByConnection: the provider cannot be told an address, it takes that of
	// the connection, which is therefore made in the family of the update.
	ByConnection bool `toml:"by_connection"`
}

// RemoveForm is how a record's addresses are taken away; without any URL: not possible.
type RemoveForm struct {
	Method string `toml:"method"` // default: that of the update
	IPv4   string `toml:"ipv4"`   // takes the IPv4 address away alone
	IPv6   string `toml:"ipv6"`
	Both   string `toml:"both"`
	Body   string `toml:"body"`

	BodyBoth string `toml:"body_both"` // instead of body, with both; default: body
}

// CNAMEForm is how a CNAME is written, in templates that have {target}, without
// its last dot. What it does not say is as [request] has it. Family "steps" has
// none: there a CNAME is one more type of record.
type CNAMEForm struct {
	Method string `toml:"method"`
	URL    string `toml:"url"` // default: url.ipv4
	Body   string `toml:"body"`
}

// HostForm is what hostnames must be like, and which fit into one request.
type HostForm struct {
	_ [0]func() // never compared: == would be code
	// List: {hostnames} may be several, with commas between them.
	List    bool `toml:"list"`
	Maximum int  `toml:"maximum"` // hostnames in a request; 0: 20

	// Zone is the domain that {zone} stands for and {name} is relative to: a
	// template, such as "{zone}" for the account's field or "duckdns.org".
	Zone string  `toml:"zone"`
	Apex *string `toml:"apex"` // {name} of the zone itself; default "@"

	Wildcard bool `toml:"wildcard"` // "*.example.org" is possible

	// Families is "never" (one request for each family), "may" or "must" be
	// in one request. With "must" the provider deletes the family not sent.
	Families string `toml:"families"`
}

// LimitForm is how often one may ask.
type LimitForm struct {
	MinInterval Duration `toml:"min_interval"` // between requests for one record

	// ServerErrorWait after the provider's own fault; default 30 min for
	// dyndns2, 5 min else.
	ServerErrorWait Duration `toml:"server_error_wait"`
}

// RecordForm is what the protocol can do with records.
type RecordForm struct {
	_       [0]func() // never compared: == would be code
	TTL     Duration  `toml:"ttl"`     // default of {ttl}, 60 s if there is none
	MinTTL  Duration  `toml:"min_ttl"` // shorter ones are raised to it
	Creates bool      `toml:"creates"` // makes the hostname if it does not exist
	CNAME   bool      `toml:"cname"`   // can write CNAME: with [cname], but for family "steps"

	// Further: requests that write an address can write several, as a whole
	// set. This is what is in a request for each of those after the first: a
	// template that has {other} for the address. {further|raw} is where they
	// stand, of A and AAAA in one request {further_ipv4|raw} and
	// {further_ipv6|raw}. In steps, {mine|raw} are those that the set has now.
	Further string `toml:"further"`

	// Several: a name and type can have several records, each with one address
	// and an id of its own. The steps that follow the one with records are taken
	// for each that is to be changed, made or removed. Family "steps" alone.
	Several bool `toml:"several"`
}

// DNSForm is what is known for verification.
type DNSForm struct {
	Unverifiable string   `toml:"unverifiable"` // why the DNS cannot confirm an update; "": it can
	Delay        Duration `toml:"delay"`        // usual time until the authoritative servers have it
	Nameservers  []string `toml:"nameservers"`
	Zones        []string `toml:"zones"` // in which the provider gives hostnames away
}

// Field is one key of the account that the user fills in.
type Field struct {
	Key      string   `toml:"key"`
	Label    string   `toml:"label"`
	Help     string   `toml:"help"`
	Secret   bool     `toml:"secret"`
	Required bool     `toml:"required"`
	Default  string   `toml:"default"`
	Also     []string `toml:"also"`    // other keys that mean the same, from other programs
	Options  []string `toml:"options"` // the only values allowed
	Lines    bool     `toml:"lines"`   // may have several lines, as a private key has
}

// BuiltIn reports whether the definition is ours, not the user's.
func (d *Definition) BuiltIn() bool { return strings.HasPrefix(d.Path, "built-in/") }

// ServerKey says what the account's key "server" is to the provider:
// "required", "optional" (it replaces the built-in server), or "none": it has
// none, or a field of that name.
func (d *Definition) ServerKey() string {
	for _, f := range d.Fields {
		if f.Key == "server" {
			return "none"
		}
	}
	switch {
	case d.Family == "generic" || d.Family == "rfc2136":
		return "none"
	case d.forms.serverless:
		return "required"
	}
	return "optional"
}

// secret reports whether a key of the account holds a secret: a field that
// the definition calls so, and every key that it does not have.
func (d *Definition) secret(key string) bool {
	for _, f := range d.Fields {
		if f.Key == key || slices.Contains(f.Also, key) {
			return f.Secret
		}
	}
	return true
}

// Secret reports whether an account's key with that value must not be shown.
// Into the fields of the generic provider users write secrets themselves.
func (d *Definition) Secret(key, value string) bool {
	if d.Family == "generic" {
		switch key {
		case "headers", "body":
			return true
		case "url", "url_ipv6", "url_both":
			return strings.Contains(value, "@") || len(genericSecrets(d, map[string]string{key: value})) > 0
		}
	}
	return d.secret(key)
}

// ReplyForm is the patterns of each class. Error classes are tried first, in
// the order of this list, then unchanged, then updated.
type ReplyForm struct {
	Updated     []string `toml:"updated"`
	Unchanged   []string `toml:"unchanged"`
	BadAuth     []string `toml:"badauth"`
	Abuse       []string `toml:"abuse"`
	BadAgent    []string `toml:"badagent"`
	PaidFeature []string `toml:"paid-feature"`
	WrongOwner  []string `toml:"wrong-owner"`
	NotFQDN     []string `toml:"notfqdn"`
	NoHost      []string `toml:"nohost"`
	InvalidIP   []string `toml:"invalid-ip"`
	BadRequest  []string `toml:"badrequest"`
	TooMany     []string `toml:"toomany"`
	ServerError []string `toml:"servererror"`

	// WebPage: the provider answers with web pages. Patterns are then tried on
	// them as well, and must name what no other page has.
	WebPage bool `toml:"web_page"`

	// Account: the classes that hold for the whole account; default
	// ["badauth", "badagent"]. Status 429 always does.
	Account []string `toml:"account"`

	// Say replaces the text of a class where the provider's is of no help.
	Say map[string]string `toml:"say"`

	// Message is the path to the provider's words in a JSON or XML reply.
	Message string `toml:"message"`
}

// of returns the patterns of a class.
func (r *ReplyForm) of(c Class) []string {
	switch c {
	case Updated:
		return r.Updated
	case Unchanged:
		return r.Unchanged
	case BadAuth:
		return r.BadAuth
	case Abuse:
		return r.Abuse
	case BadAgent:
		return r.BadAgent
	case PaidFeature:
		return r.PaidFeature
	case WrongOwner:
		return r.WrongOwner
	case NotFQDN:
		return r.NotFQDN
	case NoHost:
		return r.NoHost
	case InvalidIP:
		return r.InvalidIP
	case BadRequest:
		return r.BadRequest
	case TooMany:
		return r.TooMany
	case ServerError:
		return r.ServerError
	}
	return nil
}

// Sample is a configuration that works, for documentation and as what the
// examples have in common.
type Sample struct {
	Config   map[string]string `toml:"config"` // the account's fields
	Hostname string            `toml:"hostname"`
}

// Example is a proof of what the file says: some addresses to publish, the
// requests that they must cause and the outcomes of the replies. Keys that an
// example does not have are taken from the first example that has the same
// addresses; config and hostnames from the sample.
type Example struct {
	Shows     string            `toml:"shows"`  // what, in a few words
	Action    string            `toml:"action"` // "update" (default), "remove" or "cname"
	Target    string            `toml:"target"` // of the CNAME
	Config    map[string]string `toml:"config"`
	Hostnames []string          `toml:"hostnames"`
	IPv4      string            `toml:"ipv4"` // of several, with blanks between them
	IPv6      string            `toml:"ipv6"`
	OtherIPv4 string            `toml:"other_ipv4"` // already published, not part of this update
	OtherIPv6 string            `toml:"other_ipv6"`
	TTL       Duration          `toml:"ttl"`
	Published string            `toml:"published"` // address, or several, that were published last
	At        time.Time         `toml:"at"`        // what the clock says; default 2026-01-02T03:04:05Z

	// Then are addresses that are published after the first, one by one, with
	// what was kept. The outcome is that of the last.
	Then []string `toml:"then"`

	Exchanges []Exchange `toml:"exchange"`
	Exchange             // the same keys for the usual case of one

	// Outcome is the class of each update, hostname by hostname, IPv4 first.
	// One alone holds for all.
	Outcome []string `toml:"outcome"`
	Wait    Duration `toml:"wait"`    // that the outcome names
	Account bool     `toml:"account"` // holds for the account
	Warning string   `toml:"warning"` // part of it
}

// Exchange is one request and its reply.
type Exchange struct {
	Request string            `toml:"request"` // "GET https://host/path?query"
	Headers map[string]string `toml:"request_headers"`
	Body    string            `toml:"request_body"`

	Status       int               `toml:"status"` // of the reply; default 200
	ReplyHeaders map[string]string `toml:"reply_headers"`
	Reply        string            `toml:"reply"` // body
}

// Duration is a time span as configurations have them: "90s", "10m", "72h", "30d".
type Duration time.Duration

// UnmarshalText reads a duration; it must not be negative.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return errors.New("not a duration such as \"90s\" or \"30d\"")
		}
		*d = Duration(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return errors.New("not a duration such as \"90s\" or \"30d\"")
	}
	*d = Duration(v)
	return nil
}
