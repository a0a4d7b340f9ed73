package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// percentile is the value that p percent of the sorted ones do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[max((len(sorted)*p+99)/100-1, 0)]
}

func ratios(bare, ours []time.Duration) (median, tail float64) {
	slices.Sort(bare)
	slices.Sort(ours)
	ratio := func(p int) float64 {
		return float64(percentile(ours, p)) / float64(percentile(bare, p))
	}
	return ratio(50), ratio(99)
}

// report prints both programs' times in microseconds.
func report(bare, ours []time.Duration) {
	median, tail := ratios(bare, ours)
	fmt.Printf("\n%-10s %6s %7s %7s %7s %7s %7s\n", "µs", "runs", "min", "p50", "p90", "p99", "max")
	row := func(name string, d []time.Duration) {
		fmt.Printf("%-10s %6d", name, len(d))
		for _, p := range []int{0, 50, 90, 99, 100} {
			fmt.Printf(" %7d", percentile(d, p).Microseconds())
		}
		fmt.Println()
	}
	row("bare", bare)
	row("wanbeacon", ours)
	fmt.Printf("%-10s %6s %7s %7.2f %7s %7.2f\n", "ratio", "", "", median, "", tail)
}

func TestPercentileIsOneOfTheValues(t *testing.T) {
	var d []time.Duration
	for n := range 300 {
		d = append(d, time.Duration(n+1))
	}
	for _, c := range []struct {
		p    int
		want time.Duration
	}{{0, 1}, {50, 150}, {90, 270}, {99, 297}, {100, 300}} {
		if got := percentile(d, c.p); got != c.want {
			t.Errorf("percentile %d of 1…300 is %d, want %d", c.p, got, c.want)
		}
	}
	if got := percentile(d[:1], 99); got != 1 {
		t.Errorf("percentile 99 of one value is %d", got)
	}
}
