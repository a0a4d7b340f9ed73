package main

import (
	"os"
	"strings"
	"testing"
)

// TestContributingShowsARealProvider: what CONTRIBUTING.md shows of one stands
// so in its file.
func TestContributingShowsARealProvider(t *testing.T) {
	guide, err := os.ReadFile("../../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("../../provider/catalogue/duckdns.toml")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for i, block := range strings.Split(string(guide), "```toml\n") {
		block, _, _ = strings.Cut(block, "```")
		if i == 0 {
			continue
		}
		for part := range strings.SplitSeq(strings.ReplaceAll(block, "   ", ""), "\n\n") {
			if part = strings.TrimSpace(part); !strings.Contains("\n"+string(file), "\n"+part+"\n") {
				t.Errorf("duckdns.toml has not\n%s", part)
			}
			shown++
		}
	}
	if shown < 8 {
		t.Errorf("%d parts are shown", shown)
	}
}
