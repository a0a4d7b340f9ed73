// Package replace replaces several pieces of a text in one go. It stands in for
// strings.Replacer, whose five algorithms are 4 kB of a router's flash, where
// texts are short. It never replaces inside of what it has put in.
package replace

import "strings"

// All returns s with the first of each pair replaced by the second, from left
// to right; where several fit, by the earlier pair.
//
//	replace.All("a<b", "&", "&amp;", "<", "&lt;") // a&lt;b
func All(s string, pairs ...string) string {
	var b strings.Builder
next:
	for s != "" {
		for i := 0; i < len(pairs); i += 2 {
			if strings.HasPrefix(s, pairs[i]) {
				b.WriteString(pairs[i+1])
				s = s[len(pairs[i]):]
				continue next
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}
