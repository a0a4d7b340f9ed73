package publish

import (
	"net/netip"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// SavedAddr is an address and the source that it came from.
type SavedAddr struct {
	Source  string     `json:"source,omitempty"`
	Address netip.Addr `json:"address"`
}

// addrs are the saved addresses of a record, each with its source.
func (s *Saved) addrs() (list []SavedAddr) {
	for _, a := range append([]SavedAddr{{s.Source, s.Address}}, s.More...) {
		if a.Address.IsValid() && config.FamilyOf(a.Address).String() == s.Family {
			list = append(list, a)
		}
	}
	return list
}

// restoreAddrs takes what was published last, and of a record with the
// addresses of all its sources, which source had which.
func (e *entry) restoreAddrs(s *Saved) {
	var list []netip.Addr
	for _, a := range s.addrs() {
		list = append(list, a.Address)
		for i := range e.options {
			if o := &e.options[i]; o.source == a.Source {
				o.held = a.Address
			}
		}
	}
	e.published, e.tried, e.doubt = addrsOf(list), addrsOf(s.Tried), len(s.Tried) > 0
}

// saveAddrs writes it.
func (e *entry) saveAddrs(s *Saved) {
	s.Address, s.Tried = e.published.first, e.tried.All()
	if !e.All {
		return
	}
	s.Source = e.sourceOf(s.Address)
	for _, a := range e.published.further() {
		s.More = append(s.More, SavedAddr{e.sourceOf(a), a})
	}
}

// sourceOf is the source that has an address; "": none has it any more.
func (e *entry) sourceOf(a netip.Addr) string {
	for i := range e.options {
		if o := &e.options[i]; o.held == a {
			return o.source
		}
	}
	return ""
}

// Taken gives the saved addresses by source, so that a source keeps its choice
// over a restart.
func Taken(records []Record, saved []Saved) map[string][]netip.Addr {
	taken := map[string][]netip.Addr{}
	for _, r := range records {
		for i := range saved {
			s := &saved[i]
			if s.Hostname != r.Hostname || s.Provider != r.Provider || s.Family != r.Family.String() {
				continue
			}
			for _, a := range s.addrs() {
				for _, source := range append([]string{r.Source}, r.Fallbacks...) {
					if len(s.More) == 0 || a.Source == source {
						taken[source] = append(taken[source], a.Address)
					}
				}
			}
		}
	}
	return taken
}
