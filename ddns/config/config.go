// Package config reads wanbeacon's config.toml: it decodes the file, fills in
// the defaults, checks every value and says what is wrong with which line.
//
// It never touches the network, never writes, and knows no provider: the keys
// that differ from one provider to the next come out as text, and whoever
// knows the provider judges them, with [Config.Problem] to name the line.
//
//	cfg, err := config.Load("/etc/wanbeacon/config.toml")
//	if err != nil {
//		return err // config.Problems: each "PATH:LINE: message"
//	}
//	for _, rec := range cfg.Records {
//		fmt.Println(rec.Hostname, rec.Provider)
//	}
package config

import (
	"net/netip"
	"time"
)

// Config is one valid configuration file. Its values are never changed after
// Load or Parse returned it, so it may be shared between goroutines.
type Config struct {
	Path     string    // as given to Load or Parse
	Revision string    // SHA-256 of the file's bytes, in hexadecimal
	Warnings []Problem // what is allowed but probably not meant, by line

	Daemon    Daemon
	Sources   []Source   // in the file's order; "wan" first if the file does not have it
	Providers []Provider // in the file's order
	Records   []Record   // in the file's order
	Aliases   []Alias    // in the file's order
	Verify    Verify
	Notify    Notify

	doc *document // where each key stands, for Problem
}

// Daemon is the table [daemon]. All its paths are absolute.
type Daemon struct {
	_            [0]func()     // never compared: == would be code
	StateDir     string        // default "/var/lib/wanbeacon"
	Socket       string        // default "/var/run/wanbeacon.sock", at most 107 bytes
	LogLevel     string        // "debug", "info" (default), "warn", "error"
	ProvidersDir string        // default "/etc/wanbeacon/providers.d"; "": none
	CAFile       string        // PEM bundle; "": the system's
	Timeout      time.Duration // of one request from start to end, default 20 s, 1 s to 5 min
}

// Source is a table [source.NAME]: where an address comes from.
type Source struct {
	Name   string
	Method string // "auto" (default), "interface", "upstream", "echo", "host", "static", "command"

	// Interface is a kernel device or "auto", the one with the default route.
	// It is "" when Network is set and for the methods static and command.
	Interface string
	Network   string // OpenWrt's logical name, instead of Interface

	AllowPrivate bool       // publish addresses that are not globally routable
	Temporary    bool       // of the kernel's IPv6 addresses prefer a temporary one (privacy extensions)
	Suffix       netip.Addr // method host: the last 64 bits of the host's address, or up to 80
	MAC          string     // method host: "00:11:22:33:44:55", lower case, instead of Suffix
	IPv4, IPv6   netip.Addr // method static: at least one is valid
	Command      []string   // method command: argv, the first an absolute path
	URL          string     // method echo: asked instead of the built-in services
	Pattern      string     // method echo: how the answer of URL has the address, "{address}" in its place; "": alone
}

// Provider is a table [provider.NAME]: an account.
type Provider struct {
	Name          string
	Type          string        // name in the catalogue; default: Name
	Server        string        // replaces scheme and host of the built-in URL; "": it stays
	InsecureHTTP  bool          // plain http is allowed to any host
	Bind          string        // device to send through; "": the source's, or the kernel's choice
	ForceInterval time.Duration // re-send an unchanged address this often; 0: never

	// Fields has every other key with its text, as the file gives it; of
	// KEY_file, under KEY, the content of that file. Numbers and booleans are
	// as written. No value has a NUL byte. Never nil.
	Fields map[string]Secret
}

// Record is a table [[record]]: a name to keep up to date.
type Record struct {
	Index        int           // in the file, from 0: the key is "record[Index]"
	Hostname     string        // in lower case, without a trailing dot; may begin with "*."
	Provider     string        // name of one of Config.Providers
	Source       string        // name of one of Config.Sources, default "wan"
	Fallbacks    []string      // more of them, in order of preference
	AllSources   bool          // the addresses of all of them are published, not of the first that has one
	Families     []Family      // at least one, none twice; default IPv4 alone
	TTL          time.Duration // whole seconds; 0: the provider's own
	Enabled      bool          // default true
	OnChange     []string      // argv, the first an absolute path; nil: none
	RemoveOnExit bool
}

// Alias is a table [[alias]]: a name that is a CNAME of one of its targets.
type Alias struct {
	Index       int           // in the file, from 0: the key is "alias[Index]"
	Hostname    string        // in lower case, without a trailing dot
	Provider    string        // name of one of Config.Providers
	Targets     []string      // hostnames of Config.Records, in order of preference
	FailAfter   time.Duration // default 5 min
	ReturnAfter time.Duration // default 30 min
}

// Verify is the table [verify]: what the world sees.
type Verify struct {
	Enabled  bool             // default true
	Interval time.Duration    // default 10 min
	Resolver netip.AddrPort   // zero: the system's, or that of DoH
	DoH      string           // URL of a resolver over HTTPS; "": none
	Roots    []netip.AddrPort // none: the DNS root servers
}

// Notify is the table [notify]: who is told when something goes wrong.
type Notify struct {
	Command []string // argv, the first an absolute path; nil: none
	URL     string   // http or https; "": none
}

// Source returns the source of that name.
func (c *Config) Source(name string) (Source, bool) {
	for _, s := range c.Sources {
		if s.Name == name {
			return s, true
		}
	}
	return Source{}, false
}

// Provider returns the provider table of that name.
func (c *Config) Provider(name string) (Provider, bool) {
	for _, p := range c.Providers {
		if p.Name == name {
			return p, true
		}
	}
	return Provider{}, false
}
