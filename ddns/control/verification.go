package control

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/columns"
	"github.com/wanbeacon/wanbeacon/ddns/publish"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// Verification is what `wanbeacon verify -json` prints. Missing values are null.
type Verification struct {
	Records []Sighting `json:"records"`
}

// Sighting is what the DNS says of one record.
type Sighting struct {
	Hostname   string   `json:"hostname"`
	Provider   string   `json:"provider"`
	Family     string   `json:"family"`
	Published  *string  `json:"published"`
	Verdict    string   `json:"verdict"`
	Note       string   `json:"note"`
	Zone       *string  `json:"zone"`       // that answers for the name
	Delegation []string `json:"delegation"` // the zone's servers, as its parent has them
	Child      []string `json:"child"`      // as the zone itself has them
	Usual      []string `json:"usual"`      // the delegation last seen good
	Chain      []string `json:"chain"`      // names that CNAME led to
	Servers    []Server `json:"servers"`
	Resolver   *string  `json:"resolver"` // asked in place of the servers
	Queries    int      `json:"queries"`
	Took       int64    `json:"took_ms"`
}

// Server is one server that was asked and what it said.
type Server struct {
	Name    string   `json:"name"`
	Address *string  `json:"address"`
	Said    string   `json:"said"` // "an answer", "no such name", "SERVFAIL", …
	Values  []string `json:"values"`
}

// FillFindings writes what was found.
func (v *Verification) FillFindings(findings []publish.Finding) {
	v.Records = []Sighting{}
	for _, f := range findings {
		r := Sighting{Hostname: f.Hostname, Provider: f.Provider, Family: f.Label(), Published: str(f.Published),
			Verdict: string(f.Verdict), Note: f.Note, Usual: dotted(f.Check.Expected.Known.Servers), Took: f.Took.Milliseconds()}
		if x := f.Facts; x != nil {
			r.Zone, r.Resolver, r.Queries = str(x.Parent.Zone), str(x.Resolver), x.Queries
			r.Delegation, r.Child, r.Chain = dotted(x.Parent.Servers), dotted(x.Child), dotted(x.Chain)
			for _, s := range x.Servers {
				one := Server{Name: s.Name, Said: s.Said.String(), Values: s.Values}
				if s.Addr.IsValid() {
					one.Address = str(s.Addr.String())
				}
				r.Servers = append(r.Servers, one)
			}
		}
		v.Records = append(v.Records, r)
	}
}

func dotted(names []string) (list []string) {
	for _, name := range names {
		list = append(list, name+".")
	}
	return list
}

// Print writes the verification for people.
func (v *Verification) Print(w io.Writer) {
	for i, r := range v.Records {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s %s at %s, published %s\n  %s: %s\n", r.Hostname, r.Family, r.Provider, orDash(r.Published), r.Verdict, r.Note)
		if r.Zone != nil {
			fmt.Fprintf(w, "  zone %s, delegated to %s\n", *r.Zone, strings.Join(r.Delegation, " "))
		}
		if len(r.Child) > 0 && strings.Join(r.Child, " ") != strings.Join(r.Delegation, " ") {
			fmt.Fprintf(w, "  the zone itself names %s\n", strings.Join(r.Child, " "))
		}
		if len(r.Usual) > 0 && strings.Join(r.Usual, " ") != strings.Join(r.Delegation, " ") {
			fmt.Fprintf(w, "  before it was %s\n", strings.Join(r.Usual, " "))
		}
		if len(r.Chain) > 0 {
			fmt.Fprintf(w, "  is an alias of %s\n", strings.Join(r.Chain, ", then "))
		}
		t := columns.NewWriter(w)
		for _, s := range r.Servers {
			what := s.Said
			if len(s.Values) > 0 {
				what = strings.Join(s.Values, " ")
			}
			fmt.Fprintf(t, "  %s\t%s\t%s\n", s.Name, orEmpty(s.Address), what)
		}
		t.Flush()
		if r.Queries > 0 {
			fmt.Fprintf(w, "  %d questions in %v\n", r.Queries, time.Duration(r.Took)*time.Millisecond)
		}
	}
}

// Alarm reports whether anything is wrong.
func (v *Verification) Alarm() bool {
	for _, r := range v.Records {
		if r.Verdict == string(witness.Dark) || r.Verdict == string(witness.Diverted) || r.Verdict == string(witness.Stale) {
			return true
		}
	}
	return false
}
