package lab

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// errOver ends a wait for something that can no more come.
var errOver = errors.New("the process has ended")

// Line is one line of a process's output, standard output or error.
type Line struct {
	At   Instant // when it was read
	Text string  // without the line end
}

// Process is a program that runs in a namespace, and its output.
type Process struct {
	Name string
	PID  int

	lab   *Lab
	cmd   *exec.Cmd
	lines feed[Line]
	mark  int           // index of the first line that WaitLine looks at
	ended chan struct{} // closed when it has ended and its output was read
}

// Spawn starts a program in the namespace. It is killed at the end of the
// test; if the test failed, its output is logged then.
func (ns *Namespace) Spawn(program string, args ...string) *Process {
	ns.lab.Helper()
	return ns.spawn(exec.Command(Tool(ns.lab, program), args...))
}

// SpawnInput is Spawn with a standard input.
func (ns *Namespace) SpawnInput(in *os.File, program string, args ...string) *Process {
	ns.lab.Helper()
	cmd := exec.Command(Tool(ns.lab, program), args...)
	cmd.Stdin = in
	return ns.spawn(cmd)
}

func (ns *Namespace) spawn(cmd *exec.Cmd) *Process {
	ns.lab.Helper()
	p := &Process{Name: strings.Join(cmd.Args, " "), lab: ns.lab, cmd: cmd, ended: make(chan struct{})}
	out := &lineWriter{feed: &p.lines}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = 2 * time.Second // a child of its own may keep the pipe
	if err := ns.Start(cmd); err != nil {
		ns.lab.Fatalf("lab: %s: %v", p.Name, err)
	}
	p.PID = cmd.Process.Pid
	go func() {
		cmd.Wait() // ProcessState tells
		out.flush()
		close(p.ended)
	}()
	ns.lab.Cleanup(func() {
		p.Kill()
		if ns.lab.Failed() {
			ns.lab.Logf("lab: output of %s (%v):\n%s", p.Name, cmd.ProcessState, p.Output())
		}
	})
	return p
}

// lineWriter puts what is written to it into a feed, line by line.
type lineWriter struct {
	mu   sync.Mutex
	feed *feed[Line]
	rest []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	at := Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, b...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		w.feed.add(Line{at, string(line)})
		w.rest = rest
	}
}

func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.feed.add(Line{Now(), string(w.rest)})
		w.rest = nil
	}
}

// Lines returns everything that it printed so far.
func (p *Process) Lines() []Line { return p.lines.all() }

// Output is Lines as one text.
func (p *Process) Output() string {
	var b strings.Builder
	for _, l := range p.Lines() {
		b.WriteString(l.Text)
		b.WriteByte('\n')
	}
	return b.String()
}

// Mark makes WaitLine look only at lines that come from now on.
func (p *Process) Mark() { p.mark = p.lines.len() }

// WaitLine waits for a line that contains the text, and returns it. It looks
// at all lines since the start, or since Mark. The test fails when the context
// or the process ends first.
func (p *Process) WaitLine(ctx context.Context, text string) Line {
	p.lab.Helper()
	ctx, cancel := patient(ctx)
	defer cancel()
	_, line, err := p.lines.wait(ctx, p.mark, p.ended, func(l Line) bool { return strings.Contains(l.Text, text) })
	if err != nil {
		p.lab.Fatalf("lab: %s: waited in vain for %q: %v", p.Name, text, err)
	}
	return line
}

// Signal sends a signal.
func (p *Process) Signal(sig os.Signal) {
	p.lab.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.lab.Fatalf("lab: %s: %v: %v", p.Name, sig, err)
	}
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait waits for its end and returns its exit status, -1 for a signal's.
func (p *Process) Wait(ctx context.Context) int {
	p.lab.Helper()
	ctx, cancel := patient(ctx)
	defer cancel()
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.lab.Fatalf("lab: %s: does not end", p.Name)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Stop asks for an end (SIGTERM) and waits for it. It returns the exit status
// and how long it took.
func (p *Process) Stop() (status int, took time.Duration) {
	p.lab.Helper()
	start := time.Now()
	p.cmd.Process.Signal(unix.SIGTERM) // an error says that it has ended
	status = p.Wait(context.Background())
	return status, time.Since(start)
}

// Kill ends the process as a power cut does (SIGKILL).
func (p *Process) Kill() {
	p.cmd.Process.Kill() // an error says that it has ended
	<-p.ended
}
