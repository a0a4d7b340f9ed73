package control

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestRingKeepsTheLastLines(t *testing.T) {
	var r Ring
	if n := len(r.Log().Lines); n != 0 {
		t.Fatalf("%d lines of nothing", n)
	}
	for i := range 450 {
		r.Add(time.Unix(int64(i), 0), "info", fmt.Sprint("line ", i))
	}
	lines := r.Log().Lines
	if len(lines) != 200 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, l := range lines {
		if want := fmt.Sprint("line ", 250+i); l.Text != want || l.Time.Unix() != int64(250+i) {
			t.Fatalf("line %d is %q of %v, want %q", i, l.Text, l.Time, want)
		}
	}
}

func TestRingCutsLongLinesBetweenLetters(t *testing.T) {
	var r Ring
	r.Add(time.Time{}, "info", "x"+strings.Repeat("ü", 1000))
	got := r.Log().Lines[0].Text
	if len(got) > logWidth+3 || !utf8.ValidString(got) || !strings.HasSuffix(got, "ü…") {
		t.Errorf("%d bytes: …%q", len(got), got[len(got)-8:])
	}
}
