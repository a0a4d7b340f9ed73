package importer

import (
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

var tables = map[string]string{
	"ddns-scripts": ddnsScriptsServices, "inadyn": inadynServices, "ddclient": ddclientServices,
}

func TestTablesAreWellFormed(t *testing.T) {
	for name, table := range tables {
		seen := map[string]bool{}
		for line := range strings.Lines(table) {
			words := strings.Fields(line)
			if words[0] == "#" {
				continue
			}
			if len(words) < 2 || seen[strings.ToLower(words[0])] {
				t.Errorf("%s: %q has no provider, or is there twice", name, words[0])
				continue
			}
			seen[strings.ToLower(words[0])] = true
			for _, w := range words[2:] {
				option, target, ok := strings.Cut(w, "=")
				if !ok || !isWord(option) || target == "" {
					t.Errorf("%s: %s: %q is not OPTION=KEY", name, words[0], w)
				}
			}
		}
	}
}

// TestTablesFitTheCatalogue holds the tables against the providers that there
// are: a key that a provider does not have would lose an option.
func TestTablesFitTheCatalogue(t *testing.T) {
	catalogue, _ := provider.Open("")
	missing := map[string]bool{}
	for name, table := range tables {
		for line := range strings.Lines(table) {
			s := service(strings.TrimSpace(line))
			if s.name() == "#" || s.provider() == "-" || s.provider() == "!" {
				continue
			}
			def, err := catalogue.Lookup(s.provider())
			if err != nil {
				missing[s.provider()] = true
				continue
			}
			for _, word := range strings.Fields(string(s))[2:] {
				option, target, _ := strings.Cut(word, "=")
				if option != "server" && !strings.ContainsAny(target, "*:") && !strings.HasSuffix(target, "-") && fieldOf(def, target) == "" {
					t.Errorf("%s: %s: the provider %s has no key %s for %s", name, s.name(), s.provider(), target, option)
				}
			}
		}
	}
	if len(missing) > 0 {
		t.Logf("not in the catalogue: %v", missing)
	}
}

func TestListsOfOptionsAreWellFormed(t *testing.T) {
	for name, list := range map[string]string{"ddns-scripts": ddnsScriptsOptions, "inadyn": inadynOptions, "ddclient": ddclientOptions} {
		seen := map[string]bool{}
		for line := range strings.Lines(list) {
			keys, reason, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
			if !ok || reason == "" || strings.HasPrefix(reason, "!") && len(reason) != 2 {
				t.Errorf("%s: %q", name, line)
			}
			for _, key := range strings.Fields(keys) {
				if !isWord(key) || seen[key] {
					t.Errorf("%s: %q is no option, or is there twice", name, key)
				}
				seen[key] = true
			}
		}
	}
}
