package importer

import (
	"sort"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// finish carries all wishes over.
func (im *importer) finish() {
	for _, w := range im.wishes {
		im.carry(w)
	}
	for _, o := range im.unused {
		if !o.used {
			im.unneeded(o, o.unused)
		}
	}
}

// result writes what has been collected.
func (im *importer) result() Result {
	var b strings.Builder
	block := func(parts ...string) {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		for _, s := range parts {
			b.WriteString(s)
		}
	}
	for _, text := range im.remarks {
		b.WriteString(comment(text))
	}
	if d := im.daemon(); d != "" {
		block("[daemon]\n", d)
	}
	sources, nameOf := im.nameSources()
	for _, s := range sources {
		if s != "" {
			block("[source.", nameOf[s], "]\n", string(s))
		}
	}
	for _, a := range im.accounts {
		block(a.header(), a.body)
	}
	for _, r := range im.records {
		block(r.text(nameOf[r.source]))
	}
	if len(im.refused) > 0 {
		block("# What follows could not be carried over as it is.\n")
	}
	for _, text := range im.refused {
		block(text)
	}
	return Result{Config: []byte(b.String()), Providers: len(im.accounts), Records: len(im.records), Notes: im.sortedNotes()}
}

// maxOfLine bounds the notes of a line.
const maxOfLine = 100

// sortedNotes returns the notes by line, each once.
func (im *importer) sortedNotes() []Note {
	sort.SliceStable(im.notes, func(i, j int) bool { return im.notes[i].Line < im.notes[j].Line })
	var notes []Note
	from := 0 // where the notes of the line begin
	for i := range im.notes {
		n := &im.notes[i]
		for from < len(notes) && notes[from].Line < n.Line {
			from = len(notes)
		}
		again := len(notes)-from == maxOfLine
		for j := from; j < len(notes); j++ {
			again = again || notes[j].Message == n.Message
		}
		if !again {
			notes = append(notes, *n)
		}
	}
	return notes
}

// nameSources collects the sources of the records and names them. What all
// records share is "wan", so that no record needs to name it.
func (im *importer) nameSources() (sources []source, nameOf map[source]string) {
	nameOf = map[source]string{}
	for _, r := range im.records {
		if _, known := nameOf[r.source]; !known {
			nameOf[r.source] = ""
			sources = append(sources, r.source)
		}
	}
	taken := names{}
	for _, s := range sources {
		name := "wan"
		if len(sources) > 1 && s != "" {
			if name = s.name(); name == "wan" {
				name = "wan-device"
			}
		}
		nameOf[s] = taken.unused(name)
		taken.take(name, nameOf[s])
	}
	return sources, nameOf
}

// daemon is the body of the table [daemon], if anything belongs there.
func (im *importer) daemon() string {
	text := ""
	if o := im.caFile; o != nil {
		text = im.certificateFile(o)
	}
	if o := im.timeout; o != nil {
		s := "timeout = " + o.value + "\n"
		if why := im.accepts("[daemon]\n" + s); why != "" {
			im.unneeded(o, why)
			s = ""
		}
		text += s
	}
	if im.level != "" {
		text += "log_level = " + config.Text(im.level) + "\n"
	}
	return text
}

// certificateFile is the line for a file that may be on another machine.
func (im *importer) certificateFile(o *option) string {
	text := "ca_file = " + config.Text(o.value) + "\n"
	why := "the file cannot be read here; see the comment in the result"
	if im.opt.ReadFile != nil {
		if _, err := im.opt.ReadFile(o.value); err == nil {
			if why = im.accepts("[daemon]\n" + text); why == "" {
				return text
			}
		}
	}
	im.unneeded(o, why)
	return commentOut(text)
}

// certificates is a file or directory of certificates, or a word that means
// that they are not looked at.
func (im *importer) certificates(o *option) {
	switch {
	case o.value == "":
	case o.value == "IGNORE":
		im.unneeded(o, "certificates are always verified")
	case im.caFile != nil && im.caFile.value != o.value:
		im.unneeded(o, "there is one file for all requests, and another was named before")
	default:
		im.caFile = o
	}
}
