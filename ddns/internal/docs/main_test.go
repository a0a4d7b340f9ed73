package main

import (
	"bytes"
	"os"
	"testing"
)

func TestProvidersPageIsUpToDate(t *testing.T) {
	want, err := page()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/providers.md is out of date: run `make docs`")
	}
}
