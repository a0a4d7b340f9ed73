package replace_test

import (
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/replace"
)

func FuzzSameAsStandardLibrary(f *testing.F) {
	for _, s := range []string{"", "a", "a<b>&lt;", "%%u%u%h%", "aab", "é<ü", "<<<<", "\xff<"} {
		f.Add(s, "%u", "<", "lt")
		f.Add(s, "a", "ab", "")
	}
	f.Fuzz(func(t *testing.T, s, one, two, with string) {
		if one == "" || two == "" {
			return // nobody replaces nothing
		}
		pairs := []string{"%%", "%", one, with, two, s}
		if got, want := replace.All(s, pairs...), strings.NewReplacer(pairs...).Replace(s); got != want {
			t.Errorf("%q by %q is %q, want %q", s, pairs, got, want)
		}
	})
}
