package provider

import (
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// dyndns2Words are the first words of a line of the dyndns2 protocol, as Dyn
// and No-IP document them (help.dyn.com/return-codes, noip.com/integrate/response).
var dyndns2Words = [...]struct {
	word  string
	class Class
}{
	{"good", Updated}, {"nochg", Unchanged},
	{"badauth", BadAuth}, {"!donator", PaidFeature}, {"!yours", WrongOwner}, {"!active", NoHost},
	{"notfqdn", NotFQDN}, {"nohost", NoHost}, {"numhost", BadRequest}, {"abuse", Abuse},
	{"badagent", BadAgent}, {"badsys", BadRequest}, {"badrequest", BadRequest},
	{"dnserr", ServerError}, {"911", ServerError},
}

// wholeRequest are the classes that providers name once and for all hosts.
var wholeRequest = []Class{BadAuth, BadAgent, Abuse, ServerError, TooMany}

// numhost is answered to too many hostnames.
const numhost = "numhost"

// readDyndns2 reads a reply line by line: one line for each hostname, in the
// order of the request, or one for each address, or one error for all. It
// returns nil when the reply does not begin with a known word.
func (d *Definition) readDyndns2(r *response, updates []Update) (verdicts []verdict, split bool) {
	lines := nonEmptyLines(r.body)
	if len(lines) == 0 || isHTML(r.body) {
		return nil, false
	}
	if _, ok := d.readLine(lines[0], r, nil); !ok {
		return nil, false
	}
	hosts := byHost(updates)
	if len(hosts) > 1 && len(lines) == 1 && strings.EqualFold(firstField(lines[0]), numhost) {
		return repeat(verdict{class: BadRequest, words: lines[0]}, len(updates)), true
	}
	verdicts = make([]verdict, 0, len(updates))
	switch {
	case len(lines) == len(updates) && len(updates) != len(hosts):
		for i := range updates {
			verdicts = append(verdicts, d.lineVerdict(lines[i], r, updates[i:i+1]))
		}
		return verdicts, false
	case len(lines) == 1:
		v := d.lineVerdict(lines[0], r, updates)
		if v.class.Done() && len(hosts) > 1 {
			v.warning = "one line of reply for several hostnames"
		}
		return repeat(v, len(updates)), false
	}
	for i, host := range hosts {
		var v verdict
		switch {
		case i < len(lines):
			v = d.lineVerdict(lines[i], r, host)
		default:
			v = d.lineVerdict(lines[len(lines)-1], r, host)
			if !slices.Contains(wholeRequest, v.class) {
				v = verdict{class: Unknown, own: "the reply has no line for this hostname"}
			}
		}
		if i == len(hosts)-1 && len(lines) > len(hosts) && v.class.Done() {
			v.warning = "the reply has more lines than there are hostnames"
		}
		verdicts = append(verdicts, repeat(v, len(host))...)
	}
	return verdicts, false
}

// lineVerdict reads a line that speaks for the updates.
func (d *Definition) lineVerdict(line string, r *response, updates []Update) verdict {
	if v, ok := d.readLine(line, r, updates); ok {
		return v
	}
	return verdict{class: Unknown, words: line}
}

// readLine reads one line; false: its first word is not known. A success with
// an HTTP status that says otherwise is none.
func (d *Definition) readLine(line string, r *response, updates []Update) (verdict, bool) {
	word := strings.ToLower(firstField(line))
	class, ok := d.forms.words[word]
	if !ok {
		wait, ok := waitWord(word)
		return verdict{class: TooMany, words: line, wait: wait, known: true}, ok
	}
	v := verdict{class: class, words: line, known: true}
	if !class.Done() {
		return v, true
	}
	if r.status/100 != 2 {
		return verdict{}, false
	}
	v.own = word // a word of ours, too: no need to quote the rest
	said := addresses(line)
	if class == Updated && slices.Contains(said, loopback) && !asked(updates, loopback) {
		return verdict{class: BadAgent, words: line, known: true, account: true}, true
	}
	for _, u := range updates {
		if other := firstOf(said, u.Family); other.IsValid() && u.Addr.IsValid() && !slices.Contains(said, u.Addr.Unmap()) {
			v.stored = other
		}
	}
	return v, true
}

// loopback, stored unasked, is Dyn's way to say that it ignored the request
// because of the User-Agent.
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// asked reports whether a was among the addresses sent. A removal sends none,
// and whatever is answered to it is as good.
func asked(updates []Update, a netip.Addr) bool {
	for i := range updates {
		if u := &updates[i]; !u.Addr.IsValid() || u.Addr == a {
			return true
		}
	}
	return false
}

func firstOf(addrs []netip.Addr, f config.Family) netip.Addr {
	for _, a := range addrs {
		if config.FamilyOf(a) == f {
			return a
		}
	}
	return netip.Addr{}
}

// addresses returns the addresses after the first word of a line, which
// blanks or commas separate.
func addresses(line string) []netip.Addr {
	var found []netip.Addr
	line = line[:min(len(line), 512)]
	fields := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' })
	for _, f := range fields[min(1, len(fields)):] {
		if a, err := netip.ParseAddr(f); err == nil && len(found) < 16 {
			found = append(found, a.Unmap())
		}
	}
	return found
}

// waitWord reads "w60s", "w5m", "w2h" and "w60": wait that long.
func waitWord(word string) (time.Duration, bool) {
	digits, ok := strings.CutPrefix(word, "w")
	if !ok || digits == "" {
		return 0, false
	}
	unit := time.Second
	switch digits[len(digits)-1] {
	case 's':
		digits = digits[:len(digits)-1]
	case 'm':
		unit, digits = time.Minute, digits[:len(digits)-1]
	case 'h':
		unit, digits = time.Hour, digits[:len(digits)-1]
	}
	if digits == "" || len(digits) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	if n > int(maxWait/unit) {
		return maxWait, true
	}
	return time.Duration(n) * unit, true
}

// nonEmptyLines returns at most 1000 lines, trimmed.
func nonEmptyLines(body string) []string {
	var lines []string
	line, rest := "", strings.ReplaceAll(body, "\r", "\n")
	for rest != "" {
		line, rest, _ = strings.Cut(rest, "\n")
		if line = strings.TrimSpace(line); line != "" && len(lines) < 1000 {
			lines = append(lines, line)
		}
	}
	return lines
}

func firstField(line string) string {
	line = strings.TrimSpace(line)
	if i := strings.IndexFunc(line, unicode.IsSpace); i >= 0 {
		line = line[:i]
	}
	return line
}

// byHost cuts updates into runs of the same hostname.
func byHost(updates []Update) [][]Update {
	var hosts [][]Update
	for i, u := range updates {
		if i == 0 || u.Hostname != updates[i-1].Hostname {
			hosts = append(hosts, updates[i:i:i])
		}
		last := len(hosts) - 1
		hosts[last] = append(hosts[last], u)
	}
	return hosts
}
