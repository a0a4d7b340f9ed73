package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/control"
	"github.com/wanbeacon/wanbeacon/ddns/publish"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

const runUsage = `run [-config PATH] [-once | -dry-run | -wait]

The daemon: watches the kernel's addresses and publishes each change. Stays in
the foreground and logs to standard output. SIGTERM ends it, SIGHUP reloads the
configuration, SIGUSR1 asks for an update of every record.

-wait is for init systems: a configuration that is wrong at the start does not
end the daemon, which then says so in its log and status and waits for a reload.
`

func runCommand(fs *flagSet, args []string) int {
	path := configFlag(fs)
	once := fs.Bool("once", "publish what is due, wait for the answers, and exit")
	dry := fs.Bool("dry-run", "log the requests, secrets masked, and send none")
	wait := fs.Bool("wait", "with a wrong configuration, wait for a reload")
	rest, status, done := fs.parse(args)
	if done {
		return status
	}
	if !fs.none(rest) {
		return exitUsage
	}
	err := errAgain
	for err == errAgain {
		err = run(*path, *once, *dry, *wait)
	}
	if err != nil {
		if !errors.Is(err, errReported) {
			printProblems(err)
		}
		return exitFailed
	}
	return exitDone
}

// errReported says that the log has told what went wrong.
var errReported = errors.New("reported")

// errAgain says that the configuration, which could not be read at the start,
// now can: everything is to begin with it.
var errAgain = errors.New("again")

func run(path string, once, dry, wait bool) error {
	// The state's salt is part of the plan, and the state directory is part
	// of the configuration: the configuration is read first.
	cfg, err := config.Load(path)
	unread := err != nil
	if unread {
		if !wait {
			return err
		}
		cfg, _ = config.Parse(path, nil) // the defaults
		cfg.Daemon.Socket = socketOf(path)
	}
	// One thread at a time runs Go code. From event to request one goroutine
	// hands over to the next, and to wake another processor for that costs more
	// than the work itself.
	runtime.GOMAXPROCS(1)
	log := newLogger(os.Stdout, cfg.Daemon.LogLevel)
	d := &daemon{log: log, path: path, dry: dry, brief: once, started: time.Now(), socket: cfg.Daemon.Socket, stateDir: cfg.Daemon.StateDir,
		unread: unread, reloads: make(chan chan struct{})}
	var store *publish.Store
	var saved []publish.Saved
	if dry || unread {
		d.salt, saved = publish.Peek(d.stateDir, rand.Text())
	} else {
		unlock, err := lock(d.stateDir)
		if err != nil {
			return err
		}
		defer unlock()
		store, saved = d.openStore()
	}
	_, plan, err := d.load()
	if err != nil {
		if !wait {
			return err
		}
		d.tell("nothing is published until the configuration is put right and reloaded:", err)
	}
	watcher, err := netwatch.Open(log.Warnf, address.Hosts(plan.Sources)...)
	if err != nil {
		return fmt.Errorf("cannot watch the kernel's addresses: %w", err)
	}
	defer watcher.Close()
	d.follow = watcher.Follow
	d.loop = publish.NewLoop(log, store, saved, plan, watcher.Snapshots())

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if once {
		return d.once(ctx, cfg.Daemon.Timeout)
	}
	return d.serve(ctx, cfg)
}

// openStore reads the state; that it cannot be read or written is no reason
// not to publish.
func (d *daemon) openStore() (*publish.Store, []publish.Saved) {
	store, saved, warning, err := publish.OpenStore(d.stateDir, rand.Text())
	if err != nil {
		d.log.Warnf("%v; after a restart unchanged addresses will be sent again", err)
	}
	if warning != "" {
		d.log.Warnf("%s", warning)
	}
	d.salt = store.Salt()
	return store, saved
}

// once publishes what is due and waits no longer than one request may take.
func (d *daemon) once(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout+time.Second)
	defer cancel()
	if !d.loop.Once(ctx) {
		return errReported
	}
	return nil
}

func (d *daemon) serve(ctx context.Context, cfg *config.Config) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.end = cancel
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel(nil)
	if !d.dry {
		l, err := control.Listen(cfg.Daemon.Socket)
		if err != nil {
			return err
		}
		beside.Go(func() { control.Serve(ctx, l, d) })
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1)
	defer signal.Stop(signals)
	beside.Go(func() { d.obey(ctx, signals) })

	d.log.Infof("wanbeacon %s started with %s", version, d.path)
	d.loop.Run(ctx)
	if context.Cause(ctx) == errAgain {
		return errAgain
	}
	d.log.Infof("stopped")
	return nil
}

// obey acts on signals and on reloads asked for at the socket until ctx ends.
func (d *daemon) obey(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case done := <-d.reloads:
			d.reload(ctx)
			close(done)
		case s := <-signals:
			if s == syscall.SIGHUP {
				d.reload(ctx)
				continue
			}
			d.log.Infof("asked for an update of every record")
			// Waiting for the outcome would hold up the next signal.
			go d.loop.Update(ctx, nil, false)
		}
	}
}

// lock keeps two processes from publishing with one state: it locks the state
// directory itself, which costs no write.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return func() {}, nil // OpenStore tells
	}
	f, err := os.Open(dir)
	if err != nil {
		return func() {}, nil
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return nil, fmt.Errorf("another wanbeacon is running with %s; ask it with \"wanbeacon update\"", dir)
	}
	return func() { f.Close() }, nil
}
