package importer

import (
	"cmp"
	"slices"
	"strings"
)

// finish carries all wishes over.
func (im *importer) finish() {
	for _, w := range im.wishes {
		im.carry(w)
	}
	for o, why := range im.unused {
		if !im.used[o] {
			im.unneeded(o, why)
		}
	}
}

// result writes what has been collected.
func (im *importer) result() Result {
	var b strings.Builder
	blank := func() {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
	}
	for _, text := range im.remarks {
		b.WriteString(comment(text))
	}
	if d := im.daemon(); d != "" {
		blank()
		b.WriteString(d)
	}
	names := im.nameSources()
	for i, s := range im.sources {
		if body := s.text(); body != "" {
			blank()
			b.WriteString("[source." + names[i] + "]\n" + body)
		}
	}
	for _, a := range im.accounts {
		blank()
		b.WriteString(a.text())
	}
	for _, r := range im.records {
		blank()
		b.WriteString(r.text(names[slices.Index(im.sources, r.source)]))
	}
	if len(im.refused) > 0 {
		blank()
		b.WriteString("# What follows could not be carried over as it is.\n")
	}
	for _, text := range im.refused {
		b.WriteString("\n" + text)
	}
	slices.SortFunc(im.notes, func(a, b Note) int {
		return cmp.Or(a.Line-b.Line, strings.Compare(a.Message, b.Message))
	})
	im.notes = slices.Compact(im.notes)
	return Result{Config: []byte(b.String()), Providers: len(im.accounts), Records: len(im.records), Notes: im.notes}
}

// nameSources collects the sources of the records and names them. What all
// records share is "wan", so that no record needs to name it.
func (im *importer) nameSources() []string {
	im.sources = nil
	for _, r := range im.records {
		if !slices.Contains(im.sources, r.source) {
			im.sources = append(im.sources, r.source)
		}
	}
	names := make([]string, 0, len(im.sources))
	for _, s := range im.sources {
		name := "wan"
		switch {
		case len(im.sources) == 1 || s == source{}:
		case s.device != "":
			name = tableName(s.device)
		case s.method != "":
			name = s.method
		default:
			name = "private"
		}
		if name == "" || name == "wan" && len(im.sources) > 1 && s != (source{}) {
			name = "wan-" + tableName(s.method)
		}
		names = append(names, unused(name, func(n string) bool { return slices.Contains(names, n) }))
	}
	return names
}

// daemon is the table [daemon], if anything belongs there.
func (im *importer) daemon() string {
	var b strings.Builder
	add := func(o option, line string) {
		if why, ok := im.accepts("[daemon]\n" + line); ok {
			b.WriteString(line)
		} else {
			im.unneeded(o, why)
		}
	}
	if o := im.caFile; o.value != "" {
		if im.opt.ReadFile == nil {
			im.unneeded(o, "files cannot be read here")
		} else if _, err := im.opt.ReadFile(o.value); err != nil {
			b.WriteString(commentOut("ca_file = " + tomlText(o.value) + "\n"))
			im.unneeded(o, "the file cannot be read here; see the comment in the result")
		} else {
			add(o, "ca_file = "+tomlText(o.value)+"\n")
		}
	}
	if im.timeout.value != "" {
		add(im.timeout, "timeout = "+im.timeout.value+"\n")
	}
	if im.level != "" {
		b.WriteString("log_level = " + tomlText(im.level) + "\n")
	}
	if b.Len() == 0 {
		return ""
	}
	return "[daemon]\n" + b.String()
}
