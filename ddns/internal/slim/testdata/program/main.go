// Command program works the collector and the stack, whose tables are beside
// the lines, and then panics in a function that the standard library calls.
package main

import (
	"runtime"
	"sort"
	"strconv"
)

func main() {
	if deep(2000) != 2000 {
		panic("wrong")
	}
	list := []int{3, 1, 2}
	sort.Slice(list, func(i, j int) bool { // line 16
		panic("as meant") // line 17
	})
}

// deep makes the stack grow, which moves it, with pointers in every frame.
func deep(n int) int {
	if n == 0 {
		runtime.GC()
		return 0
	}
	text := strconv.Itoa(n)
	if n%100 == 0 {
		runtime.GC()
	}
	below := deep(n - 1)
	if back, err := strconv.Atoi(text); err != nil || back != n {
		panic("the collector took what was in use")
	}
	return below + 1
}
