package config

import (
	"strings"
	"time"
)

// record reads the table [[record]] number i. The providers and sources of c
// are already there.
func (t *table) record(i int, c *Config) Record {
	rec := Record{Index: i, Source: "wan", Families: []Family{IPv4}, Enabled: true}
	t.hostname("hostname", "record", &rec.Hostname)
	rec.Provider = t.providerName(c)
	t.sourceNames(&rec, c)
	if t.flag("all_sources", &rec.AllSources); rec.AllSources && len(rec.Fallbacks) == 0 {
		t.fail(t.at("all_sources"), "`all_sources` needs several, such as source = [\"wan\", \"lte\"]")
	}
	t.families(&rec.Families)
	t.duration("ttl", &rec.TTL, time.Second, 7*day)
	t.flag("enabled", &rec.Enabled)
	t.argv("on_change", &rec.OnChange)
	t.flag("remove_on_exit", &rec.RemoveOnExit)
	t.missing("hostname", `hostname = "home.example.net"`)
	t.missing("provider", providerExample)
	t.unknown()
	return rec
}

// sourceNames reads the name of a source, or a list of them.
func (t *table) sourceNames(rec *Record, c *Config) {
	const key, example = "source", `["wan", "lte"]`
	list := []string{rec.Source}
	if !isList(t.values[key]) {
		t.text(key, &list[0])
	} else if t.list(key, &list, example); len(list) == 0 {
		t.fail(t.at(key), "`source` is empty; write names of sources, such as %s", example)
		return
	}
	names := make([]string, len(c.Sources))
	for i, s := range c.Sources {
		names[i] = s.Name
	}
	for i, s := range list {
		if !contains(names, s) {
			t.fail(t.at(key), "there is no table [source.%s]%s", printable(s), didYouMean(s, names))
		} else if contains(list[:i], s) {
			t.fail(t.at(key), "`source` has %s twice", quote(s))
		}
	}
	rec.Source, rec.Fallbacks = list[0], list[1:]
	if len(rec.Fallbacks) == 0 {
		rec.Fallbacks = nil
	}
}

const providerExample = `provider = "NAME", with the NAME of a table [provider.NAME]`

// providerName reads the name of a provider table.
func (t *table) providerName(c *Config) string {
	var name string
	if !t.text("provider", &name) {
		return ""
	}
	if _, ok := c.Provider(name); !ok {
		names := make([]string, len(c.Providers))
		for i, p := range c.Providers {
			names[i] = p.Name
		}
		t.fail(t.at("provider"), "there is no table [provider.%s]%s", printable(name), didYouMean(name, names))
	}
	return name
}

func (t *table) families(to *[]Family) {
	const key, example = "families", `["ipv4"] or ["ipv4", "ipv6"]`
	var words []string
	if !t.list(key, &words, example) {
		return
	}
	if len(words) == 0 {
		t.fail(t.at(key), "`families` is empty; write %s", example)
		return
	}
	var list []Family
	for i, word := range words {
		at := elementPath(t.at(key), i)
		f := Family(0)
		switch word {
		case "ipv4":
			f = IPv4
		case "ipv6":
			f = IPv6
		default:
			t.fail(at, "`families`: there is no %s; write %s", quote(word), example)
			continue
		}
		for _, other := range list {
			if other == f {
				t.fail(at, "`families` has %s twice", quote(word))
			}
		}
		list = append(list, f)
	}
	if len(list) == len(words) {
		*to = list
	}
}

// alias reads the table [[alias]] number i. The providers and records of c are
// already there.
func (t *table) alias(i int, c *Config) Alias {
	a := Alias{Index: i, FailAfter: 5 * time.Minute, ReturnAfter: 30 * time.Minute}
	t.hostname("hostname", "alias", &a.Hostname)
	a.Provider = t.providerName(c)
	t.targets(&a, c)
	t.duration("fail_after", &a.FailAfter, time.Second, 30*day)
	t.duration("return_after", &a.ReturnAfter, time.Second, 30*day)
	t.missing("hostname", `hostname = "home.example.org"`)
	t.missing("provider", providerExample)
	t.missing("targets", "targets = "+targetsExample)
	t.unknown()
	return a
}

const targetsExample = `["home.ddns.net", "home.dynu.net"]`

func (t *table) targets(a *Alias, c *Config) {
	const key = "targets"
	var list []string
	if !t.list(key, &list, targetsExample) {
		return
	}
	if len(list) == 0 {
		t.fail(t.at(key), "`targets` is empty; write hostnames of records, such as %s", targetsExample)
	}
	names := make([]string, len(c.Records))
	for i, rec := range c.Records {
		names[i] = rec.Hostname
	}
	for i, s := range list {
		at := elementPath(t.at(key), i)
		name := strings.ToLower(strings.TrimSuffix(s, "."))
		switch {
		case contains(a.Targets, name):
			t.fail(at, "`targets` has %s twice", quote(s))
		case !contains(names, name):
			t.fail(at, "`targets`: there is no [[record]] with hostname %s%s", quote(s), didYouMean(name, names))
		}
		a.Targets = append(a.Targets, name)
	}
}
