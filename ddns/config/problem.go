package config

import (
	"fmt"
	"sort"
	"strings"
)

// Problem is one thing that is wrong, and where.
type Problem struct {
	Path    string // of the file
	Line    int    // from 1; 0: the file as a whole
	Message string // what is wrong and what to do; one line, never a secret
	Key     string // where in the file, as Config.Problem has it; "": nowhere in particular
}

// Error returns "PATH:LINE: message", or "PATH: message" when there is no line.
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.Path + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Message)
}

// Problems is all that is wrong with a file, by line. It is the error of Load
// and Parse, and has at least one element then.
type Problems []Problem

// Error returns one line for each problem.
func (p Problems) Error() string {
	var b strings.Builder
	for i, problem := range p {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(problem.Error())
	}
	return b.String()
}

// Unwrap gives errors.As the single problems.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i := range p {
		errs[i] = p[i]
	}
	return errs
}

// Problem returns a Problem with the line of key, for the packages that judge
// what this one only carries. Keys are written "provider.noip.username",
// "record[0].hostname", "record[0].on_change[1]"; names with other characters
// than letters, digits, "-" and "_" are in double quotes. If the file does not
// have the key, but KEY_file, that is its line; else that of the nearest table
// around it, or 0.
func (c *Config) Problem(key, format string, args ...any) Problem {
	return Problem{Path: c.Path, Line: c.doc.line(key), Message: fmt.Sprintf(format, args...), Key: key}
}

// byLine sorts problems by their line and leaves those of one line in order.
func byLine(problems []Problem) {
	sort.SliceStable(problems, func(i, j int) bool { return problems[i].Line < problems[j].Line })
}
