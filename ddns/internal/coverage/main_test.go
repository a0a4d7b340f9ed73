package main

import (
	"strings"
	"testing"
)

// lacking are the services that the catalogue has no file for yet. Take away
// what you add; when nothing is left, this goes.
const lacking = `aliesa baiducloud trafficroute nowcn eranet tnethk dnsla hipmdnsmgr`

// TestNothingIsMissing: each service that another client has is in the
// catalogue, or left out with a reason.
func TestNothingIsMissing(t *testing.T) {
	var out strings.Builder
	missing, err := report(&out)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	known := map[string]bool{}
	for _, name := range strings.Fields(lacking) {
		known[name] = true
	}
	for _, name := range missing {
		if !known[name] {
			t.Errorf("the catalogue lacks %s", name)
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("the catalogue has %s by now: take it out of the list in this test", name)
	}
}

// TestReasonsAreNeeded: what is named as closed or refused is no provider of
// the catalogue after all.
func TestReasonsAreNeeded(t *testing.T) {
	var out strings.Builder
	if _, err := report(&out); err != nil {
		t.Fatal(err)
	}
	for _, reasons := range []map[string]string{closed, refused} {
		for name := range reasons {
			if !strings.Contains(out.String(), name+" ") {
				t.Errorf("%s has a reason not to be in the catalogue, and is there, or unknown to all", name)
			}
		}
	}
}
