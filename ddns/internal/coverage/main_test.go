package main

import (
	"strings"
	"testing"
)

func TestNothingIsMissing(t *testing.T) {
	var out strings.Builder
	missing, err := report(&out)
	if err != nil {
		t.Fatal(err)
	}
	if len(missing) > 0 {
		t.Errorf("the catalogue lacks %s", strings.Join(missing, " "))
	}
	t.Log("\n" + out.String())
}
