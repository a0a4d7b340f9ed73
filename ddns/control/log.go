package control

import (
	"sync"
	"time"
)

const (
	logLines = 200
	logWidth = 500 // bytes of a line that are kept
)

// Log is the daemon's last log lines, oldest first.
type Log struct {
	Lines []LogLine `json:"lines"`
}

// LogLine is one event. Level is "debug", "info", "warning" or "error".
type LogLine struct {
	Time  time.Time `json:"time"`
	Level string    `json:"level"`
	Text  string    `json:"text"`
}

// Ring keeps the last lines of a log, 100 KiB of text at most. The zero Ring
// is empty and may be used by several goroutines.
type Ring struct {
	mu    sync.Mutex
	lines []LogLine
	next  int // place of the oldest line, once the ring is full
}

// Add keeps a line, and forgets the oldest when there are too many.
func (r *Ring) Add(at time.Time, level, text string) {
	if len(text) > logWidth {
		n := logWidth
		for n > 0 && text[n]&0xc0 == 0x80 { // not in the middle of a letter
			n--
		}
		text = text[:n] + "…"
	}
	line := LogLine{at.UTC().Truncate(time.Millisecond), level, text}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) < logLines {
		r.lines = append(r.lines, line)
		return
	}
	r.lines[r.next] = line
	r.next = (r.next + 1) % logLines
}

// Log returns the lines.
func (r *Ring) Log() *Log {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := &Log{Lines: make([]LogLine, 0, len(r.lines))}
	l.Lines = append(append(l.Lines, r.lines[r.next:]...), r.lines[:r.next]...)
	return l
}
