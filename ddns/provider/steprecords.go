package provider

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// choose finds our record among those of the name and type, and takes from it
// what the step picks. The outcome is for when nothing more needs to be done.
func (r *run) choose(s *Step, records []any) *Outcome {
	for _, name := range []string{"current", "others", "several", "rest", "mine"} {
		r.vars[name] = ""
	}
	if s.Records.Split != "" {
		records = r.split(s, records)
	}
	if r.apart() {
		return r.plan(s, records)
	}
	if len(records) == 0 {
		if r.action == "remove" {
			return &Outcome{Class: Unchanged, Text: noSuchRecord, Sent: true}
		}
		return nil
	}
	addresses := make([]string, len(records))
	for i, record := range records {
		addresses[i] = s.addressOf(r, record)
	}
	wants := append([]string{r.want}, strings.Fields(listed(r.update.Published)+" "+r.vars[publishedKey]+" "+listed(r.update.More))...)
	i, sure := ours(addresses, wants...)
	if !sure && r.action == "remove" {
		return &Outcome{Class: BadRequest, Sent: true, Text: r.masker.own(fmt.Sprintf(
			"%s has %d %s records, and none has the address that was published: none was removed", r.update.Hostname, len(records), r.kind))}
	}
	if o := r.take(s, records[i]); o != nil {
		return o
	}
	set := r.setAside(records, addresses, i, sure)
	if r.action == "update" && !s.Records.Always && addresses[i] != "" && sameContent(addresses[i], r.want) && set && !r.otherTTL() {
		return &Outcome{Class: Unchanged, Text: "the record has this address already", Sent: true}
	}
	return nil
}

// split cuts texts into addresses and returns those of our family; {others}
// are then those of the other one.
func (r *run) split(s *Step, texts []any) (records []any) {
	for _, t := range texts {
		text, _ := jsonText(t)
		for more := true; more; {
			var one string
			one, text, more = strings.Cut(text, s.Records.Split)
			one = strings.TrimSpace(one)
			if a, err := netip.ParseAddr(one); err != nil {
				continue
			} else if (r.kind == "AAAA") == (config.FamilyOf(a) == config.IPv6) {
				records = append(records, one)
			} else {
				r.vars["others"] += " " + one
			}
		}
	}
	return records
}

// ours tells which of several is the one to write: that with the address
// wanted, the only one, or that which was published last. Else it is the
// first, and not sure.
func ours(addresses []string, wants ...string) (i int, sure bool) {
	for _, want := range wants[:1] {
		for i, a := range addresses {
			if a != "" && sameContent(a, want) {
				return i, true
			}
		}
	}
	if len(addresses) == 1 {
		return 0, true
	}
	for _, want := range wants[1:] {
		for i, a := range addresses {
			if a != "" && sameContent(a, want) {
				return i, true
			}
		}
	}
	return 0, false
}

// setAside takes the other records apart: those that are ours too, and those
// that are left alone, of which it tells. It reports whether the former are as
// wanted.
func (r *run) setAside(records []any, addresses []string, current int, sure bool) bool {
	var others, mine []string
	var rest []any
	wanted := 0
	for i, a := range addresses {
		switch {
		case i == current:
		case among(a, r.update.More):
			wanted++
			mine = append(mine, a)
		case r.set() && among(a, r.update.Published):
			wanted-- // it has to go
			mine = append(mine, a)
		default:
			if rest = append(rest, records[i]); a != "" && !strings.ContainsAny(a, " \t\r\n") {
				others = append(others, a)
			}
		}
	}
	r.vars["mine"] = strings.Join(mine, " ")
	if len(rest) > 0 {
		text := jsonOf(rest)
		r.vars["rest"] = text[1 : len(text)-1]
		r.warn(others, len(rest), sure)
	}
	return wanted == len(r.update.More) && len(mine) == wanted
}

// set reports whether several addresses of the name and type are, or were, ours.
func (r *run) set() bool { return len(r.update.More) > 0 || len(r.update.Published) > 1 }

// warn tells of the records that are left alone.
func (r *run) warn(others []string, count int, sure bool) {
	r.vars["others"] = strings.TrimSpace(r.vars["others"] + " " + strings.Join(others, " "))
	r.vars["several"] = itoa(count)
	if r.warning = r.leftAlone(count + 1); !sure {
		r.warning += "; which is ours could not be told, the first was taken"
	}
}

// leftAlone says that there are other records, of so many.
func (r *run) leftAlone(count int) string {
	return r.masker.own(fmt.Sprintf("%s has %d %s records: the others were left alone", r.update.Hostname, count, r.kind))
}

const noSuchRecord = "there was no such record"

// inURL reports whether a step's URL has the placeholder.
func (d *Definition) inURL(name string) bool {
	for _, t := range d.forms.steps {
		if t.uses(name) {
			return true
		}
	}
	return false
}
