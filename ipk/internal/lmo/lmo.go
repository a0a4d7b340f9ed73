package lmo

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// entry is one line of a .lmo file's index.
type entry struct {
	key, value, offset, length uint32
}

// Convert returns the .lmo file for a .po file's text, and how many strings it
// has; nil if it has none. Strings that are not translated, fuzzy ones among
// them, are left out: LuCI then shows the English.
//
// The form: the strings, each padded to four bytes; an index of four big-endian
// numbers an entry (hash of the source string, number of plural forms, offset,
// length), sorted by hash; the offset of the index.
func Convert(po string) (lmo []byte, strings int, err error) {
	messages, err := parse(po)
	if err != nil {
		return nil, 0, err
	}
	var index []entry
	var out []byte
	add := func(key, value uint32, text string) {
		index = append(index, entry{key, value, uint32(len(out)), uint32(len(text))})
		out = append(out, text...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	seen := map[uint32]int{}
	for _, m := range messages {
		if m.id == "" { // the header
			if p := pluralForms(m.texts[0]); p != "" {
				add(0, 0, p)
			}
			continue
		}
		if m.fuzzy {
			continue
		}
		for i := range m.forms {
			text, key := m.texts[i], hash(m.key(i))
			if text == "" || hash(text) == key {
				continue
			}
			if line, ok := seen[key]; ok {
				return nil, 0, fmt.Errorf("line %d: the same string as in line %d, or one with the same hash", m.line, line)
			}
			seen[key] = m.line
			add(key, uint32(m.forms), text)
		}
	}
	if len(seen) == 0 {
		return nil, 0, nil
	}
	slices.SortStableFunc(index, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	start := uint32(len(out))
	for _, e := range index {
		for _, n := range []uint32{e.key, e.value, e.offset, e.length} {
			out = binary.BigEndian.AppendUint32(out, n)
		}
	}
	return binary.BigEndian.AppendUint32(out, start), len(seen), nil
}

// key is what LuCI looks a message up by.
func (m *message) key(form int) string {
	k := m.id
	if m.hasContext {
		k = m.context + "\x01" + k
	}
	if m.hasPlural {
		k += fmt.Sprintf("\x02%d", form)
	}
	return k
}

// pluralForms returns the header's field of that name, "" if there is none.
func pluralForms(header string) string {
	for _, field := range strings.Split(header, `\n`) {
		const name = "plural-forms: "
		if len(field) > len(name) && strings.EqualFold(field[:len(name)], name) {
			return field[len(name):]
		}
	}
	return ""
}

// hash is Paul Hsieh's SuperFastHash as LuCI has it: seeded with the length,
// and with the odd bytes at the end taken as signed.
func hash(s string) uint32 {
	if s == "" {
		return 0
	}
	h := uint32(len(s))
	get := func(i int) uint32 { return uint32(s[i]) | uint32(s[i+1])<<8 }
	i := 0
	for ; i+4 <= len(s); i += 4 {
		h += get(i)
		h = h<<16 ^ (get(i+2)<<11 ^ h)
		h += h >> 11
	}
	switch len(s) - i {
	case 3:
		h += get(i)
		h ^= h << 16
		h ^= uint32(int32(int8(s[i+2]))) << 18
		h += h >> 11
	case 2:
		h += get(i)
		h ^= h << 11
		h += h >> 17
	case 1:
		h += uint32(int32(int8(s[i])))
		h ^= h << 10
		h += h >> 1
	}
	h ^= h << 3
	h += h >> 5
	h ^= h << 4
	h += h >> 17
	h ^= h << 25
	h += h >> 6
	return h
}
