package lab

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Daemon is wanbeacon, running on a router.
type Daemon struct {
	*Process
	Dir    string // of config.toml, state and socket; the same for each start
	Config string // path of config.toml

	ns     *Namespace
	binary string
	env    []string
}

// Daemon starts `BINARY run` in the namespace with this configuration, and
// does not wait for anything. In the text $DIR stands for a directory that is
// kept until the end of the test; a [daemon] table with state_dir and socket
// in it is added after the text when it has none, and a [verify] table that
// switches it off likewise. env adds to the environment.
func (ns *Namespace) Daemon(binary, config string, env ...string) *Daemon {
	ns.lab.Helper()
	d := ns.Prepare(binary, config, env...)
	d.Start()
	return d
}

// Prepare is Daemon without the start: for Command, and to start later.
func (ns *Namespace) Prepare(binary, config string, env ...string) *Daemon {
	ns.lab.Helper()
	d := &Daemon{Dir: ns.lab.TempDir(), ns: ns, binary: binary, env: env}
	d.Config = filepath.Join(d.Dir, "config.toml")
	d.Write(config)
	return d
}

// Start starts it, again after a Stop or Kill: configuration and state are
// still there.
func (d *Daemon) Start(flags ...string) {
	d.ns.lab.Helper()
	d.Process = d.ns.spawn(d.command(append([]string{"run"}, flags...)...))
}

func (d *Daemon) command(args ...string) *exec.Cmd {
	args = append(args[:1:1], append([]string{"-config", d.Config}, args[1:]...)...)
	cmd := exec.Command(d.binary, args...)
	cmd.Env = append(os.Environ(), d.env...)
	return cmd
}

// Write replaces config.toml, mode 0600, as an editor does: a new file in the
// place of the old one. Reload makes the daemon see it.
func (d *Daemon) Write(config string) {
	d.ns.lab.Helper()
	if !strings.HasPrefix(config, "[daemon]") && !strings.Contains(config, "\n[daemon]") {
		config += "\n[daemon]\nstate_dir = \"$DIR/state\"\nsocket = \"$DIR/socket\"\n"
	}
	if !strings.Contains(config, "[verify]") {
		config += "\n[verify]\nenabled = false\n"
	}
	config = strings.ReplaceAll(config, "$DIR", d.Dir)
	fresh := d.Config + ".new"
	err := os.WriteFile(fresh, []byte(config), 0o600)
	if err == nil {
		err = os.Rename(fresh, d.Config)
	}
	if err != nil {
		d.ns.lab.Fatalf("lab: %v", err)
	}
}

// Reload writes the configuration and sends SIGHUP.
func (d *Daemon) Reload(config string) {
	d.ns.lab.Helper()
	d.Write(config)
	d.Signal(unix.SIGHUP)
}

// WaitLog waits for a line of the log that contains the text: WaitLine.
func (d *Daemon) WaitLog(ctx context.Context, text string) Line {
	d.ns.lab.Helper()
	return d.WaitLine(ctx, text)
}

// Result is what a subcommand left.
type Result struct {
	Status         int // exit status
	Stdout, Stderr string
}

// Command runs `BINARY SUBCOMMAND -config … ARGS` beside the daemon and waits
// for its end.
func (d *Daemon) Command(subcommand string, args ...string) Result {
	d.ns.lab.Helper()
	return d.CommandWith("", subcommand, args...)
}

// CommandWith is Command with something on standard input.
func (d *Daemon) CommandWith(stdin, subcommand string, args ...string) Result {
	d.ns.lab.Helper()
	cmd := d.command(append([]string{subcommand}, args...)...)
	var out, errs strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := d.ns.Start(cmd); err != nil {
		d.ns.lab.Fatalf("lab: %s: %v", subcommand, err)
	}
	cmd.Wait() // ProcessState tells
	return Result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// Status returns the answer of `status -json`. The test fails if there is none.
func (d *Daemon) Status() Status {
	d.ns.lab.Helper()
	r := d.Command("status", "-json")
	var s Status
	if err := json.Unmarshal([]byte(r.Stdout), &s); err != nil || r.Status != 0 {
		d.ns.lab.Fatalf("lab: status: exit %d, %v\n%s%s", r.Status, err, r.Stdout, r.Stderr)
	}
	return s
}

// Status is `status -json`; null becomes "" and 0.
type Status struct {
	Version string  `json:"version"`
	Uptime  float64 `json:"uptime_seconds"`
	Config  struct {
		Path, Revision, Error string
	} `json:"config"`
	Sources []SourceStatus `json:"sources"`
	Records []RecordStatus `json:"records"`
	Aliases []AliasStatus  `json:"aliases"`
}

// SourceStatus is one source and family of Status.
type SourceStatus struct{ Name, Family, Address, Method, Interface, Note string }

// RecordStatus is one record and family of Status.
type RecordStatus struct {
	Hostname, Provider, Family, Source, Wanted, Published, State, Error string

	SourceNote  string `json:"source_note"`
	ErrorClass  string `json:"error_class"`
	LastChange  string `json:"last_change"`
	NextAttempt string `json:"next_attempt"`
	Attempts    int
	Verdict     string
	VerdictNote string `json:"verdict_note"`
	Delegation  []string

	AllPublished []string `json:"all_published"`
}

// AliasStatus is one alias of Status.
type AliasStatus struct{ Hostname, Target, State, Reason string }

// Record returns the status of a hostname's family, "ipv4" or "ipv6".
func (s Status) Record(hostname, family string) (RecordStatus, bool) {
	for _, r := range s.Records {
		if r.Hostname == hostname && r.Family == family {
			return r, true
		}
	}
	return RecordStatus{}, false
}

// Activity is what a process has done so far, by the kernel's count.
type Activity struct {
	Voluntary, Involuntary int64 // context switches of all its threads that still run
	CPU                    int64 // clock ticks, user and system
	Written                int64 // bytes that it caused to be written to disks
	Writes                 int64 // write system calls, sockets' sends not counted
}

// Activity reads what the process has done: for showing that it did nothing.
func (p *Process) Activity() Activity {
	p.lab.Helper()
	var a Activity
	base := filepath.Join("/proc", strconv.Itoa(p.PID))
	threads, _ := filepath.Glob(base + "/task/*/status")
	for _, path := range threads {
		a.Voluntary += p.field(path, "voluntary_ctxt_switches:")
		a.Involuntary += p.field(path, "nonvoluntary_ctxt_switches:")
	}
	a.Written = p.field(base+"/io", "write_bytes:")
	a.Writes = p.field(base+"/io", "syscw:")
	stat, _ := os.ReadFile(base + "/stat")
	// After the name in parentheses, which may hold anything; proc(5).
	if fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])); len(fields) > 12 {
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		a.CPU = user + system
	}
	return a
}

// field reads the number after a word at the beginning of a line.
func (p *Process) field(path, word string) int64 {
	p.lab.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		p.lab.Fatalf("lab: %s: %v", p.Name, err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, word); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return n
		}
	}
	return 0
}
