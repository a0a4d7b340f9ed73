package witness

import (
	"strings"
	"testing"
	"time"
)

// facts are of the zone example.org and its servers ns1, ns2, …: each word
// says what one of them says, as a Reply or as values.
func facts(servers ...string) *Facts {
	f := &Facts{Parent: Delegation{Zone: "example.org"}, Zone: "example.org"}
	for i, text := range servers {
		s := Server{Name: "ns" + string(rune('1'+i)) + ".example.org", Said: Values, Values: strings.Fields(text)}
		for r, name := range replies {
			if name == text {
				s.Said, s.Values = Reply(r), nil
			}
		}
		f.Parent.Servers = append(f.Parent.Servers, s.Name)
		f.Servers = append(f.Servers, s)
	}
	return f
}

func TestVerdicts(t *testing.T) {
	const ours, older, foreign = "203.0.113.7", "198.51.100.9", "192.0.2.66"
	usual := facts(ours, ours).Parent
	other := Delegation{"example.org", []string{"ns7.example.net", "ns8.example.net"}}
	lower := Delegation{"sub.example.org", []string{"ns1.example.org"}}
	weak := func(said ...string) *Facts {
		f := facts(said...)
		f.Parent, f.Zone, f.Resolver, f.Why = Delegation{}, "", "192.0.2.53:53", "outgoing DNS is blocked"
		return f
	}
	secure := func(said string) *Facts {
		f := weak(said)
		f.Resolver, f.Why = "https://192.0.2.53/dns-query", forged
		return f
	}
	for name, c := range map[string]struct {
		facts *Facts
		known Delegation
		age   time.Duration
		want  Verdict
		note  string
	}{
		"all give it":                {facts(ours, ours), usual, time.Hour, OK, "all 2 name servers give 203.0.113.7"},
		"one server":                 {facts(ours), Delegation{}, time.Hour, OK, "the one name server gives"},
		"among others":               {facts(ours + " " + foreign), Delegation{}, time.Hour, OK, "give"},
		"one is silent":              {facts(ours, "no answer"), usual, time.Hour, OK, "1 of 2 name servers give 203.0.113.7; ns2.example.org: no answer"},
		"one has trouble":            {facts(ours, "SERVFAIL"), usual, time.Hour, OK, "SERVFAIL"},
		"moved, and right":           {facts(ours, ours), other, time.Hour, OK, "moved from ns7.example.net, ns8.example.net to ns1.example.org, ns2.example.org"},
		"late, one":                  {facts(ours, older), usual, time.Second, Pending, "1 of 2 name servers so far: ns2.example.org: 198.51.100.9 (older)"},
		"late, all, first time":      {facts("no such name", "no such name"), usual, time.Second, Pending, "no such name"},
		"fresh, a stranger's":        {facts(foreign, foreign), usual, time.Second, Pending, foreign},
		"late for too long":          {facts(ours, older), usual, time.Hour, Stale, "ns2.example.org: 198.51.100.9 (older)"},
		"never changed":              {facts(older, older), usual, time.Hour, Stale, "ns1.example.org, ns2.example.org: 198.51.100.9 (older)"},
		"one lacks the name":         {facts(ours, "no such name"), usual, time.Hour, Stale, "no such name"},
		"all silent":                 {facts("no answer", "no answer"), usual, time.Hour, Dark, "nobody answers for it: ns1.example.org, ns2.example.org: no answer"},
		"all silent, fresh":          {facts("no answer", "no answer"), usual, time.Second, Dark, "nobody answers"},
		"lame":                       {facts("no authority (lame)"), usual, time.Hour, Diverted, "moved"},
		"name removed":               {facts("no such name", "no such name"), usual, time.Hour, Dark, "does not resolve"},
		"emptied":                    {facts("no such record", "no answer"), usual, time.Hour, Dark, "does not resolve"},
		"a stranger's address":       {facts(foreign, foreign), usual, time.Hour, Diverted, "gives 192.0.2.66, which was never ours"},
		"one gives a stranger's":     {facts(ours, foreign), usual, time.Hour, Diverted, "ns2.example.org gives 192.0.2.66"},
		"moved, SERVFAIL":            {facts("SERVFAIL", "SERVFAIL"), other, time.Hour, Diverted, "example.org moved from ns7.example.net, ns8.example.net to ns1.example.org, ns2.example.org; ns1.example.org, ns2.example.org: SERVFAIL"},
		"moved, fresh, sinkhole":     {facts(foreign), other, time.Second, Diverted, "moved"},
		"moved, half are silent":     {facts(ours, "no answer"), other, time.Hour, Diverted, "moved"},
		"moved, most are right":      {facts(ours, ours, "no answer"), other, time.Hour, OK, "2 of 3 name servers give"},
		"moved, older":               {facts(older, older), other, time.Hour, Stale, "older"},
		"no longer delegated":        {facts("no such name"), lower, time.Hour, Dark, "sub.example.org is no longer delegated"},
		"delegated further down":     {facts("SERVFAIL"), Delegation{"org", []string{"a"}}, time.Hour, Diverted, "moved from org"},
		"nothing found":              {&Facts{}, Delegation{}, time.Hour, Dark, "no name server is known"},
		"circle":                     {&Facts{Broken: "its aliases lead in a circle", Chain: []string{"a", "b"}}, Delegation{}, time.Hour, Dark, "circle: a, b"},
		"resolver":                   {weak(ours), usual, time.Hour, OK, "weaker, as only the resolver 192.0.2.53:53 could be asked: outgoing DNS is blocked"},
		"resolver, may be cached":    {weak(older), usual, 30 * time.Minute, Pending, "weaker"},
		"resolver, stale":            {weak(older), usual, 3 * time.Hour, Stale, "weaker"},
		"resolver, sinkhole":         {weak(foreign), usual, 3 * time.Hour, Diverted, "weaker"},
		"resolver, no name":          {weak("no such name"), usual, 3 * time.Hour, Dark, "weaker"},
		"resolver silent":            {weak("no answer"), usual, time.Hour, Unverifiable, "outgoing DNS is blocked, and the resolver 192.0.2.53:53 does not answer"},
		"resolver lies":              {weak("a broken answer"), usual, 3 * time.Hour, Unverifiable, "outgoing DNS is blocked, and the resolver 192.0.2.53:53 gives an address to names that cannot exist"},
		"forged, not over HTTPS":     {secure(ours), usual, 3 * time.Hour, OK, "weaker"},
		"a stranger's over HTTPS":    {secure(foreign), usual, 3 * time.Hour, Diverted, "weaker"},
		"blocked without a resolver": {&Facts{Why: "outgoing DNS is blocked"}, usual, time.Hour, Unverifiable, "there is no resolver to ask"},
	} {
		t.Run(name, func(t *testing.T) {
			v, note := Judge(c.facts, Expected{Want: ours, Older: []string{"198.51.100.1", older}, Known: c.known, Age: c.age, Delay: time.Minute})
			if v != c.want || !strings.Contains(note, c.note) {
				t.Errorf("%s: %q, want %s: %q", v, note, c.want, c.note)
			}
		})
	}
	// A name with several addresses of ours.
	const two = ours + " 203.0.113.8"
	for name, c := range map[string]struct {
		facts *Facts
		want  Verdict
		note  string
	}{
		"both":                     {facts(two, "203.0.113.8 "+ours), OK, "all 2 name servers give 203.0.113.7 203.0.113.8"},
		"beside a stranger's":      {facts(two+" "+foreign, two), OK, "all 2"},
		"one of them alone":        {facts(two, ours), Stale, "ns2.example.org: 203.0.113.7 (older)"},
		"with one that has gone":   {facts(two, two+" "+older), Stale, "ns2.example.org: 203.0.113.7 203.0.113.8 198.51.100.9 (older)"},
		"a stranger's in place":    {facts(two, foreign), Diverted, "which was never ours"},
		"one and a stranger's":     {facts(two, ours+" "+foreign), Stale, "ns2"},
		"what was there before":    {facts(older, older), Stale, "older"},
		"nobody has the name here": {facts("no such name", "no such name"), Dark, "does not resolve"},
	} {
		t.Run("several: "+name, func(t *testing.T) {
			v, note := Judge(c.facts, Expected{Want: two, Whole: true, Older: []string{older}, Known: usual, Age: time.Hour, Delay: time.Minute})
			if v != c.want || !strings.Contains(note, c.note) {
				t.Errorf("%s: %q, want %s: %q", v, note, c.want, c.note)
			}
		})
	}
	if v, note := Judge(facts(ours+" 203.0.113.8"), Expected{Want: ours, Whole: true, Older: []string{"203.0.113.8"}, Age: time.Hour, Delay: time.Minute}); v != Stale {
		t.Errorf("an address that was taken out is still there: %s: %s", v, note)
	}
	if v, note := Judge(facts(foreign), Expected{Want: ours, Unverifiable: "it is a tunnel"}); v != Unverifiable || note != "it is a tunnel" {
		t.Error(v, note)
	}
	if v, _ := Judge(facts(foreign), Expected{}); v != Unverifiable {
		t.Error(v)
	}
}
