package main

import (
	"strings"
	"testing"
)

// TestNothingIsMissing: each service that another client has is in the
// catalogue, or left out with a reason.
func TestNothingIsMissing(t *testing.T) {
	var out strings.Builder
	missing, err := report(&out)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	for _, name := range missing {
		t.Errorf("the catalogue lacks %s", name)
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
