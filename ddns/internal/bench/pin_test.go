package bench

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Processors: the two programs run on one, what they are measured by on another,
// where there is one. Else it is left to chance whether the server is waked on
// the processor that runs anyway, or on one that sleeps and must be called.
const (
	programs  = 1
	measuring = 0
)

// pin keeps a process and its threads, and those that they start, on a processor.
func pin(pid, processor int) {
	if runtime.NumCPU() < 2 {
		return
	}
	var one unix.CPUSet
	one.Set(processor)
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	must("threads", err)
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = unix.SchedSetaffinity(id, &one) // one that has ended meanwhile
		}
	}
}
