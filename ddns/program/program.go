// Package program runs other programs: those that the user's configuration
// names, by argv and without a shell. It stands in for os/exec, which costs
// 15 kB of a router's flash, and ends what a program has started too.
//
//	out, complaint, err := program.Run(ctx, []string{"/usr/bin/my-address", "-4"}, nil, nil)
package program

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxOutput = 4096            // bytes that are kept of what a program prints
	patience  = time.Second / 4 // for the end of the output, when the program has ended
)

// Run runs argv, whose first element is an absolute path, until it ends or ctx
// does, which kills it and its descendants. env nil: the environment of this
// process; input is its standard input. The first 4096 bytes that it prints
// are returned, and those of its standard error. The error is that of ctx, or
// says how the program failed; it has not its name.
func Run(ctx context.Context, argv, env []string, input []byte) (out, complaint []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if env == nil {
		env = os.Environ()
	}
	var ours, theirs [3]*os.File
	defer func() {
		for i := range ours {
			ours[i].Close() // nil is fine
			theirs[i].Close()
		}
	}()
	files := make([]uintptr, 3)
	for i := range ours {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, nil, err
		}
		if ours[i], theirs[i] = r, w; i == 0 {
			ours[i], theirs[i] = w, r
		}
		files[i] = theirs[i].Fd()
	}
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Env: env, Files: files, Sys: &syscall.SysProcAttr{Setpgid: true}})
	if err != nil {
		return nil, nil, err
	}
	for _, f := range theirs {
		f.Close()
	}
	go func() {
		ours[0].Write(input) // fails if nobody reads it, and at the end
		ours[0].Close()
	}()
	printed := [2]chan []byte{collect(ours[1]), collect(ours[2])}
	ended := make(chan struct{})
	go func() { // waits, but leaves the zombie: its number must not be another's when it is killed
		for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		syscall.Kill(-pid, syscall.SIGKILL)
		<-ended
		err = ctx.Err()
	}
	var status syscall.WaitStatus
	for {
		if _, waitErr := syscall.Wait4(pid, &status, 0, nil); waitErr != syscall.EINTR {
			break
		}
	}
	until := time.Now().Add(patience) // a descendant may hold the pipes open
	ours[1].SetReadDeadline(until)
	ours[2].SetReadDeadline(until)
	out, complaint = <-printed[0], <-printed[1]
	switch {
	case err != nil:
	case status.Signaled():
		err = fmt.Errorf("ended by signal %d (%v)", int(status.Signal()), status.Signal())
	case status.ExitStatus() != 0:
		err = fmt.Errorf("exit status %d", status.ExitStatus())
	}
	return out, complaint, err
}

// collect reads to the end and gives the first bytes.
func collect(f *os.File) chan []byte {
	result := make(chan []byte, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(f, maxOutput))
		io.Copy(io.Discard, f)
		result <- text
	}()
	return result
}
