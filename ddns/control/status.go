package control

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/columns"
	"github.com/wanbeacon/wanbeacon/ddns/publish"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// Status is what `wanbeacon status -json` prints. Missing values are null.
type Status struct {
	Version string     `json:"version"`
	Uptime  int64      `json:"uptime_seconds"`
	Time    *time.Time `json:"time"` // now, by the clock that the other times are of
	Config  Config     `json:"config"`
	Sources []Source   `json:"sources"`
	Records []Record   `json:"records"`
	Aliases []Alias    `json:"aliases"`
}

// Config tells which configuration is in force, and what is wrong with the
// file if a reload was refused.
type Config struct {
	Path     string  `json:"path"`
	Revision string  `json:"revision"` // SHA-256 of the file's bytes, hex
	Error    *string `json:"error"`
}

// Source is one source's answer for one family.
type Source struct {
	Name      string      `json:"name"`
	Family    string      `json:"family"`
	Address   *netip.Addr `json:"address"`
	Method    string      `json:"method"`
	Interface *string     `json:"interface"`
	Note      *string     `json:"note"`
}

// Record is one name and family at one provider.
type Record struct {
	Hostname     string      `json:"hostname"`
	Provider     string      `json:"provider"`
	Family       string      `json:"family"`
	Source       *string     `json:"source"`      // in use
	SourceNote   *string     `json:"source_note"` // why not one that comes before it
	Wanted       *netip.Addr `json:"wanted"`
	Published    *netip.Addr `json:"published"`
	AllWanted    []string    `json:"all_wanted"`    // of a record with the addresses of all its sources
	AllPublished []string    `json:"all_published"` // likewise
	State        string      `json:"state"`
	Error        *string     `json:"error"`
	ErrorClass   *string     `json:"error_class"`
	LastChange   *time.Time  `json:"last_change"`
	NextAttempt  *time.Time  `json:"next_attempt"`
	Attempts     int         `json:"attempts"`
	Verdict      *string     `json:"verdict"`
	VerdictNote  *string     `json:"verdict_note"`
	Delegation   []string    `json:"delegation"`
}

// Alias is a name that leads to one of several records.
type Alias struct {
	Hostname    string  `json:"hostname"`
	Provider    string  `json:"provider"`
	Target      *string `json:"target"` // that it leads to now
	State       string  `json:"state"`
	Reason      *string `json:"reason"` // why there, or what is wrong
	Verdict     *string `json:"verdict"`
	VerdictNote *string `json:"verdict_note"`
}

// FillRecords writes the records' and the sources' part of the status, and the
// time.
func (s *Status) FillRecords(records []publish.RecordStatus, answers []address.Answer) {
	s.Time = when(time.Now())
	s.Sources, s.Records, s.Aliases = []Source{}, []Record{}, []Alias{}
	for _, a := range answers {
		s.Sources = append(s.Sources, source(a))
	}
	for _, r := range records {
		s.Records = append(s.Records, Record{
			Hostname: r.Hostname, Provider: r.Provider, Family: r.Family.String(),
			Source: str(r.Source), SourceNote: str(r.SourceNote), Wanted: addr(r.Wanted.First()), Published: addr(r.Published.First()), State: string(r.State),
			AllWanted: all(r.All, r.Wanted), AllPublished: all(r.All, r.Published),
			Error: str(r.Error), ErrorClass: str(r.ErrorClass),
			LastChange: when(r.LastChange), NextAttempt: when(r.NextAttempt), Attempts: r.Attempts,
			Verdict: str(string(r.Verdict)), VerdictNote: str(r.VerdictNote), Delegation: r.Delegation,
		})
	}
}

// FillAliases writes the aliases' part of the status.
func (s *Status) FillAliases(aliases []publish.AliasStatus) {
	for _, a := range aliases {
		s.Aliases = append(s.Aliases, Alias{Hostname: a.Hostname, Provider: a.Provider, Target: str(a.Target), State: string(a.State),
			Reason: str(a.Reason), Verdict: str(string(a.Verdict)), VerdictNote: str(a.VerdictNote)})
	}
}

func source(a address.Answer) Source {
	return Source{Name: a.Source, Family: a.Family.String(), Address: addr(a.Addr), Method: a.Method,
		Interface: str(a.Interface), Note: str(a.Note)}
}

func str(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func addr(a netip.Addr) *netip.Addr {
	if !a.IsValid() {
		return nil
	}
	return &a
}

// all are the addresses of a record with those of all its sources.
func all(several bool, a publish.Addrs) []string {
	if !several {
		return nil
	}
	return append([]string{}, strings.Fields(a.String())...)
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.Round(0).Truncate(time.Second)
	return &t
}

// Print writes the status for people. now is used for "3 min ago".
func (s *Status) Print(w io.Writer, now time.Time) {
	fmt.Fprintf(w, "wanbeacon %s, up %s, %s\n", s.Version, time.Duration(s.Uptime)*time.Second, s.Config.Path)
	if s.Config.Error != nil {
		force := "the one before is in force"
		if len(s.Sources) == 0 { // wrong at the start already
			force = "nothing is published until it is put right and reloaded"
		}
		fmt.Fprintf(w, "the configuration file has errors; %s:\n  %s\n", force, strings.ReplaceAll(*s.Config.Error, "\n", "\n  "))
		if len(s.Sources) == 0 {
			return
		}
	}
	t := columns.NewWriter(w)
	if len(s.Sources) > 0 {
		fmt.Fprintln(t, "\nSOURCE\tFAMILY\tADDRESS\tINTERFACE\tNOTE")
		for _, a := range s.Sources {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", a.Name, a.Family, orDash(a.Address), orDash(a.Interface), orEmpty(a.Note))
		}
		t.Flush()
	}
	if len(s.Records) == 0 {
		fmt.Fprintln(w, "\nno records: add a [[record]] to the configuration")
		return
	}
	fmt.Fprintln(t, "\nRECORD\tPROVIDER\tFAMILY\tPUBLISHED\tSTATE\tDNS\tNOTE")
	for _, r := range s.Records {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Hostname, r.Provider, r.Family, list(r.Published, r.AllPublished), r.State, orDash(r.Verdict), r.note(now))
	}
	t.Flush()
	if len(s.Aliases) == 0 {
		return
	}
	fmt.Fprintln(t, "\nALIAS\tPROVIDER\tLEADS TO\tSTATE\tDNS\tNOTE")
	for _, a := range s.Aliases {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Hostname, a.Provider, orDash(a.Target), a.State, orDash(a.Verdict), orEmpty(a.Reason))
	}
	t.Flush()
}

// list shows an address, or all of them.
func list(one *netip.Addr, all []string) string {
	if len(all) > 1 {
		return strings.Join(all, " ")
	}
	return orDash(one)
}

// note says the most important thing about a record.
func (r *Record) note(now time.Time) string {
	var parts []string
	if r.Error != nil {
		parts = append(parts, *r.Error)
	}
	if wants := list(r.Wanted, r.AllWanted); r.Wanted != nil && wants != list(r.Published, r.AllPublished) {
		parts = append(parts, "wants "+wants)
	}
	if r.NextAttempt != nil {
		parts = append(parts, "next attempt in "+r.NextAttempt.Sub(now).Round(time.Second).String())
	}
	if len(parts) == 0 && r.LastChange != nil && r.State == string(publish.Published) {
		parts = append(parts, ago(now.Sub(*r.LastChange)))
	}
	if r.SourceNote != nil {
		parts = append(parts, "by source "+*r.Source+" ("+*r.SourceNote+")")
	}
	if r.Verdict != nil && *r.Verdict != string(witness.OK) && r.VerdictNote != nil {
		parts = append(parts, *r.VerdictNote)
	}
	return strings.Join(parts, "; ")
}

func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

func orDash[T any](p *T) string {
	if p == nil {
		return "-"
	}
	return fmt.Sprint(*p)
}

func orEmpty(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
