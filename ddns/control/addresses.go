package control

import (
	"fmt"
	"io"
	"net/netip"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/columns"
)

// Addresses is what `wanbeacon addresses -json` prints.
type Addresses struct {
	Sources []SourceAddresses `json:"sources"`
}

// SourceAddresses is one source with everything that was considered for it.
type SourceAddresses struct {
	Name       string      `json:"name"`
	Taken      []Source    `json:"taken"`
	Candidates []Candidate `json:"candidates"`
}

// Candidate is one address; Reason says why it was passed over.
type Candidate struct {
	Address   netip.Prefix `json:"address"`
	Interface *string      `json:"interface"`
	Taken     bool         `json:"taken"`
	Reason    *string      `json:"reason"`
	Tunnel    *string      `json:"tunnel"` // what the interface is, if it is a tunnel
}

// FillAddresses writes the sources' answers with their candidates.
func (a *Addresses) FillAddresses(list map[string][]address.Candidate, answers []address.Answer) {
	a.Sources = []SourceAddresses{}
	for _, ans := range answers {
		n := len(a.Sources)
		if n == 0 || a.Sources[n-1].Name != ans.Source {
			s := SourceAddresses{Name: ans.Source, Candidates: []Candidate{}}
			for _, c := range list[ans.Source] {
				s.Candidates = append(s.Candidates, Candidate{
					Address:   netip.PrefixFrom(c.Addr, c.Bits),
					Interface: str(c.Interface), Taken: c.Taken, Reason: str(c.Reason), Tunnel: str(c.Tunnel)})
			}
			a.Sources = append(a.Sources, s)
			n++
		}
		a.Sources[n-1].Taken = append(a.Sources[n-1].Taken, source(ans))
	}
}

// Print writes the addresses for people.
func (a *Addresses) Print(w io.Writer) {
	for i, s := range a.Sources {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "source %s\n", s.Name)
		t := columns.NewWriter(w)
		for _, c := range s.Candidates {
			verdict := "taken"
			if !c.Taken {
				verdict = "passed over: " + orEmpty(c.Reason)
			}
			if c.Tunnel != nil {
				verdict += " (" + *c.Tunnel + ")"
			}
			fmt.Fprintf(t, "  %s\t%s\t%s\n", c.Address, orDash(c.Interface), verdict)
		}
		t.Flush()
		for _, f := range s.Taken {
			if f.Address == nil {
				fmt.Fprintf(w, "  no %s address: %s\n", f.Family, orEmpty(f.Note))
			} else if f.Note != nil { // by which way it was found
				fmt.Fprintf(w, "  %s: %s\n", f.Family, *f.Note)
			}
		}
	}
}
