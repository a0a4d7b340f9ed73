package config

// crossCheck judges what no table can judge alone.
func (r *reader) crossCheck(c *Config) {
	r.twiceTheSame(c)
	r.neverAnAddress(c)
	enabled := 0
	for _, rec := range c.Records {
		if rec.Enabled {
			enabled++
		}
	}
	switch {
	case len(c.Records) == 0:
		r.warn("", "no [[record]] yet, so nothing is published; add one with `hostname` and `provider`")
	case enabled == 0:
		r.warn("", "every [[record]] has enabled = false, so nothing is published")
	}
}

// twiceTheSame reports what two records or aliases would both write.
func (r *reader) twiceTheSame(c *Config) {
	type target struct {
		hostname, provider string
		family             Family
	}
	seen := make(map[target]string)
	hosts := make(map[string]string)
	for _, rec := range c.Records {
		if rec.Hostname == "" {
			continue
		}
		at := elementPath("record", rec.Index)
		for _, f := range rec.Families {
			k := target{rec.Hostname, rec.Provider, f}
			if first, twice := seen[k]; twice {
				r.fail(at+".hostname", "%s with provider %s and family %s is already in the [[record]] of line %d",
					quote(rec.Hostname), quote(rec.Provider), f, r.doc.line(first))
				break
			}
			seen[k] = at
		}
		hosts[rec.Hostname] = at
	}
	for _, a := range c.Aliases {
		at := elementPath("alias", a.Index)
		if first, twice := hosts[a.Hostname]; twice && a.Hostname != "" {
			r.fail(at+".hostname", "%s cannot be an alias too: line %d has it already", quote(a.Hostname), r.doc.line(first))
			continue
		}
		hosts[a.Hostname] = at
	}
}

// neverAnAddress warns of records whose source cannot have an address of one
// of their families.
func (r *reader) neverAnAddress(c *Config) {
	for _, rec := range c.Records {
		s, _ := c.Source(rec.Source)
		if len(rec.Fallbacks) > 0 {
			continue
		}
		for _, f := range rec.Families {
			never := s.Method == "host" && f == IPv4 ||
				s.Method == "static" && (f == IPv4 && !s.IPv4.IsValid() || f == IPv6 && !s.IPv6.IsValid())
			if never {
				r.warn(elementPath("record", rec.Index)+".families", "source %s never has an %s address", quote(s.Name), f)
			}
		}
	}
}
