package witness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// cached is how long a resolver may go on giving an older value, beyond the
// provider's delay.
const cached = time.Hour

// tally counts servers by what they gave.
type tally struct {
	ours, older, foreign, negative, failed int
	stranger                               string // the first foreign value
	which                                  string // and who gave it
}

func count(f *Facts, e Expected) (t tally) {
	for _, s := range f.Servers {
		switch {
		case s.Said == NoData || s.Said == NoName:
			t.negative++
		case s.Said != Values || len(s.Values) == 0:
			t.failed++
		case e.met(s.Values):
			t.ours++
		case anyOf(s.Values, e.Older) || anyOf(s.Values, strings.Fields(e.Want)):
			t.older++
		default:
			if t.foreign++; t.stranger == "" {
				t.stranger, t.which = s.Values[0], s.Name
			}
		}
	}
	return t
}

// met reports whether all that was published is among values.
func (e *Expected) met(values []string) bool {
	for _, want := range strings.Fields(e.Want) {
		if !slices.Contains(values, want) {
			return false
		}
	}
	return e.Want != "" && !(e.Whole && anyOf(values, e.Older))
}

func anyOf(values, among []string) bool {
	for _, v := range values {
		if slices.Contains(among, v) {
			return true
		}
	}
	return false
}

// Judge says what facts mean for a record, with a sentence for people. Of a
// light check only the verdict OK counts; anything else is a doubt.
func Judge(f *Facts, e Expected) (Verdict, string) {
	v, note := judge(f, e)
	if len(note) > maxNote { // servers may have names of any length
		note = note[:maxNote-3] + "…"
	}
	return v, note
}

// maxNote bounds a sentence, in bytes; what servers say in it is ASCII.
const maxNote = 600

func judge(f *Facts, e Expected) (Verdict, string) {
	switch {
	case e.Unverifiable != "":
		return Unverifiable, e.Unverifiable
	case e.Want == "":
		return Unverifiable, "nothing has been published"
	case f.Why == "":
		return f.judge(e)
	case f.Resolver == "" || len(f.Servers) == 0:
		return Unverifiable, f.Why + ", and there is no resolver to ask"
	case f.Servers[0].Said == Silent || f.Servers[0].Said == Refused:
		return Unverifiable, f.Why + ", and the resolver " + f.Resolver + " does not answer"
	case f.Servers[0].Said == Garbage:
		return Unverifiable, f.Why + ", and the resolver " + f.Resolver + " gives an address to names that cannot exist"
	}
	v, note := f.judge(e)
	switch {
	case f.Why == forged && v != OK && !strings.HasPrefix(f.Resolver, "https:"):
		return Unverifiable, f.Why + ", and the resolver " + f.Resolver + " may have been told the same"
	case v == Stale && e.Age < e.Delay+cached:
		v = Pending
	}
	return v, note + "; weaker, as only the resolver " + f.Resolver + " could be asked: " + f.Why
}

func (f *Facts) judge(e Expected) (Verdict, string) {
	t := count(f, e)
	moved := e.Known.Zone != "" && f.Resolver == "" && !f.Parent.Equal(e.Known)
	fresh := e.Age < e.Delay
	switch {
	case f.Broken != "":
		return Dark, f.Broken + ": " + strings.Join(f.Chain[:min(len(f.Chain), 4)], ", ")
	case t.ours > 0 && t.older+t.foreign+t.negative == 0 && (!moved || t.failed < t.ours):
		note := f.seen(t) + " " + e.Want
		if t.failed > 0 {
			note += "; " + f.others(e)
		}
		if moved {
			note += "; " + move(e.Known, f.Parent)
		}
		return OK, note
	case moved && t.older == 0 && t.failed >= t.ours && !below(e.Known.Zone, f.Parent.Zone):
		return Diverted, move(e.Known, f.Parent) + "; " + f.others(e)
	case t.foreign > 0 && !fresh:
		return Diverted, fmt.Sprintf("%s gives %s, which was never ours; %s", t.which, t.stranger, f.others(e))
	case t.ours+t.older+t.foreign+t.negative == 0:
		return Dark, "nobody answers for it: " + f.others(e)
	case fresh:
		return Pending, fmt.Sprintf("%d of %s so far: %s", t.ours, f.number(), f.others(e))
	case t.ours+t.older > 0:
		return Stale, f.others(e)
	case moved:
		return Dark, fmt.Sprintf("%s is no longer delegated; %s", e.Known.Zone, f.others(e))
	}
	return Dark, "it does not resolve: " + f.others(e)
}

// below reports whether a zone is below another one, not the same.
func below(zone, other string) bool { return len(zone) > len(other) && dns.InZone(zone, other) }

// Seen is how many servers there are of those that gave the value: "all 5 name
// servers", "3 of 5 name servers".
func (f *Facts) Seen(want string) string { return f.seenBy(count(f, Expected{Want: want})) }

func (f *Facts) seenBy(t tally) string {
	switch {
	case f.Resolver != "":
		return "the resolver " + f.Resolver
	case t.ours < len(f.Servers):
		return fmt.Sprintf("%d of %s", t.ours, f.number())
	case t.ours == 1:
		return "the one name server"
	}
	return "all " + f.number()
}

func (f *Facts) number() string {
	if len(f.Servers) == 1 {
		return "1 name server"
	}
	return fmt.Sprintf("%d name servers", len(f.Servers))
}

func (f *Facts) seen(t tally) string {
	verb := " give"
	if f.Resolver != "" || len(f.Servers) == 1 {
		verb += "s"
	}
	return f.seenBy(t) + verb
}

// others says what the servers say that do not give the value that is wanted:
// "ns1, ns2: SERVFAIL; ns3: 198.51.100.9 (older)".
func (f *Facts) others(e Expected) string {
	var said []string
	by := map[string][]string{}
	for _, s := range f.Servers {
		what := s.Said.String()
		if s.Said == Values && len(s.Values) > 0 {
			if e.met(s.Values) {
				continue
			}
			what = strings.Join(s.Values[:min(len(s.Values), 3)], " ")
			if anyOf(s.Values, e.Older) || anyOf(s.Values, strings.Fields(e.Want)) {
				what += " (older)"
			}
		}
		if by[what] == nil {
			said = append(said, what)
		}
		by[what] = append(by[what], s.Name)
	}
	for i, what := range said {
		names := by[what]
		if len(names) > 4 {
			names = append(names[:3:3], fmt.Sprintf("%d more", len(names)-3))
		}
		said[i] = strings.Join(names, ", ") + ": " + what
	}
	if len(said) == 0 && len(f.Servers) == 0 {
		return "no name server is known"
	}
	return strings.Join(said, "; ")
}

// move tells a change of the delegation.
func move(from, to Delegation) string {
	if from.Zone != to.Zone {
		return fmt.Sprintf("the delegation moved from %s (%s) to %s (%s)", zoneName(from.Zone), short(from.Servers), zoneName(to.Zone), short(to.Servers))
	}
	return fmt.Sprintf("%s moved from %s to %s", zoneName(from.Zone), short(from.Servers), short(to.Servers))
}

// Moved tells a change of the delegation, with all names.
func Moved(from, to Delegation) string { return move(from, to) }

func short(names []string) string {
	if len(names) > 8 {
		names = append(names[:8:8], "…")
	}
	return strings.Join(names, ", ")
}
