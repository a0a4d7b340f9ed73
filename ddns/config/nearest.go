package config

import "strings"

// Nearest returns the word of known that is most like word, for "did you mean
// `hostname`?", or "" when none is near. Case does not count. Near means at
// most two letters too many, missing, wrong or swapped, one in words of up to
// three letters, and a third of the letters in long words.
func Nearest(word string, known []string) string {
	limit := 2
	switch n := len(word); {
	case n == 0 || n > 256:
		return ""
	case n <= 3:
		limit = 1
	case n > 8:
		limit = n / 3
	}
	word = strings.ToLower(word)
	best, bestDistance := "", limit+1
	for _, k := range known {
		if d := len(k) - len(word); d > limit || -d > limit {
			continue
		}
		if d := distance(word, strings.ToLower(k)); d < bestDistance && d < len(k) {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance returns the Damerau-Levenshtein distance of a and b, in the form
// where no letter is touched twice ("optimal string alignment").
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// didYouMean returns "; did you mean `hostname`?", or "" when nothing is near.
func didYouMean(word string, known []string) string {
	if n := Nearest(word, known); n != "" {
		return "; did you mean " + quote(n) + "?"
	}
	return ""
}
