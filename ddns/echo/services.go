package echo

import (
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// Kinds of services.
const (
	byHTTPS = iota
	byDNS
	bySTUN
)

// patience is how long one question of a kind may take.
var patience = [...]time.Duration{8 * time.Second, 3 * time.Second, 3 * time.Second}

// service is one service of one operator. For a family that it does not serve
// the text is empty.
type service struct {
	_        [0]func() // never compared: == would be code
	operator string
	kind     int
	v4, v6   string // HTTPS: URL; DNS: server's address; STUN: host:port
	name4    string // DNS: the name that is asked for
	txt      bool   // DNS: the answer is text
	every    time.Duration
}

// usual is how long a service is left alone when its operator names no time:
// a network that flaps must not become a burden to others.
const usual = time.Minute

// builtin are services that are offered to everybody. Their operators do not
// depend on each other.
var builtin = [...]service{
	{operator: "ipify", kind: byHTTPS, v4: "https://api.ipify.org/", v6: "https://api6.ipify.org/"},
	{operator: "Google", kind: byDNS, v4: "216.239.32.10", v6: "2001:4860:4802:32::a", name4: "o-o.myaddr.l.google.com", txt: true},
	{operator: "Cloudflare", kind: bySTUN, v4: "stun.cloudflare.com:3478", v6: "stun.cloudflare.com:3478"},
	{operator: "Cloudflare", kind: byHTTPS, v4: "https://ipv4.icanhazip.com/", v6: "https://ipv6.icanhazip.com/"},
	{operator: "OpenDNS", kind: byDNS, v4: "208.67.222.222", v6: "2620:119:35::35", name4: "myip.opendns.com"},
	{operator: "Google", kind: bySTUN, v4: "stun.l.google.com:19302", v6: "stun.l.google.com:19302"},
	{operator: "Amazon", kind: byHTTPS, v4: "https://checkip.amazonaws.com/"},
	{operator: "Akamai", kind: byDNS, v4: "193.108.88.1", name4: "whoami.akamai.net"},
	{operator: "Nextcloud", kind: bySTUN, v4: "stun.nextcloud.com:443", v6: "stun.nextcloud.com:443"},
	{operator: "ident.me", kind: byHTTPS, v4: "https://4.ident.me/", v6: "https://6.ident.me/"},
}

// terms are the pauses that operators ask for whose services only a user's own
// URL can name.
var terms = [...]struct {
	host  string
	every time.Duration
}{
	{"checkip.dyndns.com", 10 * time.Minute}, // help.dyn.com, "CheckIP tool"
	{"checkip.dyndns.org", 10 * time.Minute},
}

func (s *service) pause() time.Duration {
	if s.every > 0 {
		return s.every
	}
	return usual
}

// at is what is asked for a family.
func (s *service) at(f config.Family) string {
	if f == config.IPv6 {
		return s.v6
	}
	return s.v4
}

// host is where a service is, without scheme, port and path.
func (s *service) host(f config.Family) string {
	host := s.at(f)
	if _, rest, ok := strings.Cut(host, "://"); ok {
		host, _, _ = strings.Cut(rest, "/")
	}
	if s.kind != byDNS && !strings.HasPrefix(host, "[") {
		host, _, _ = strings.Cut(host, ":")
	}
	return strings.ToLower(host)
}

// name is what users are told.
func (s *service) name() string {
	return s.operator + " by " + [...]string{"HTTPS", "DNS", "STUN"}[s.kind]
}
