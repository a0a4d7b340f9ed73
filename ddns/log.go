package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/wanbeacon/wanbeacon/ddns/control"
)

// level is the weight of a log line.
type level int

const (
	debugLevel level = iota
	infoLevel
	warnLevel
	errorLevel
)

var levels = map[string]level{"debug": debugLevel, "info": infoLevel, "warn": warnLevel, "error": errorLevel}

var levelNames = [...]string{"debug", "info", "warning", "error"}

// logger writes one line an event. On a terminal each has a time; elsewhere
// the reader (syslog, procd) adds it.
type logger struct {
	mu    sync.Mutex
	w     io.Writer
	level level
	stamp bool
	ring  control.Ring // the last lines, for the page
}

func newLogger(f *os.File, name string) *logger {
	l := &logger{w: f, level: levels[name]}
	if info, err := f.Stat(); err == nil {
		l.stamp = info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
	}
	return l
}

// setLevel changes the least level that is written: debug, info, warn, error.
func (l *logger) setLevel(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.level = levels[name]
}

func (l *logger) Debugf(format string, args ...any) { l.print(debugLevel, "debug: ", format, args) }
func (l *logger) Infof(format string, args ...any)  { l.print(infoLevel, "", format, args) }
func (l *logger) Warnf(format string, args ...any)  { l.print(warnLevel, "warning: ", format, args) }
func (l *logger) Errorf(format string, args ...any) { l.print(errorLevel, "error: ", format, args) }

func (l *logger) print(at level, prefix, format string, args []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at < l.level {
		return
	}
	text := printable(fmt.Sprintf(format, args...))
	l.ring.Add(time.Now(), levelNames[at], text)
	line := prefix + text + "\n"
	if l.stamp {
		line = time.Now().Format("15:04:05.000 ") + line
	}
	io.WriteString(l.w, line)
}

// printable keeps a log line one line: whatever a terminal would act upon is
// escaped.
func printable(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprintable(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
