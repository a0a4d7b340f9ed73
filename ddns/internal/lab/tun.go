package lab

import (
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Tun stands in for a PPP session: a point-to-point device without ARP, with
// the address of the other end, and a new index after each dial. Its other
// end is a device of the same name in the ISP; packets go both ways.
type Tun struct {
	*Link
	files   [2]*os.File // ours, the ISP's; nil when hung up
	pumping sync.WaitGroup
}

// Tun makes a session between the namespace and the ISP: devices that are
// down and without addresses, until Dial. It needs /dev/net/tun.
func (ns *Namespace) Tun(name string) *Tun {
	ns.lab.Helper()
	t := &Tun{Link: ns.Link(name)}
	t.peer = ns.lab.ISP.Link(name)
	t.peer.peer = t.Link
	ns.lab.Cleanup(t.Hangup)
	t.create()
	return t
}

func (t *Tun) create() {
	t.NS.lab.Helper()
	for i, k := range []*Link{t.Link, t.peer} {
		err := k.NS.Do(func() (err error) {
			// A child that another test has just started may hold the last file
			// until it has become its program.
			for range 1000 {
				if t.files[i], err = openTun(k.Name); err != unix.EBUSY {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			return err
		})
		if err != nil {
			t.NS.lab.Fatalf("lab: tun device %s: %v (needs /dev/net/tun, readable and writable)", t.Name, err)
		}
	}
	t.pumping.Go(func() { pump(t.files[1], t.files[0]) })
	t.pumping.Go(func() { pump(t.files[0], t.files[1]) })
}

// openTun makes a tun device in the thread's namespace; it is gone when the
// file is closed.
func openTun(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "/dev/net/tun"), nil // only now: before, it cannot be polled
}

// pump carries packets until a file is closed. A packet that the other end
// does not take (it is down) is lost.
func pump(to, from *os.File) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		to.Write(buffer[:n])
	}
}

// Hangup takes the devices away, addresses and routes with them.
func (t *Tun) Hangup() {
	for _, f := range t.files {
		if f != nil {
			f.Close()
		}
	}
	t.pumping.Wait()
	t.files = [2]*os.File{}
}

// Dial does what pppd does with a new session, in its steps: the address
// without the other end, away again, the address with the other end, up,
// default route. The devices are made again if they were hung up; the ISP's
// end is ready before.
func (t *Tun) Dial(local, remote netip.Addr) {
	t.NS.lab.Helper()
	if t.files[0] == nil {
		t.create()
	}
	own, other := fmt.Sprintf("%s/%d", local, local.BitLen()), fmt.Sprintf("%s/%d", remote, remote.BitLen())
	t.peer.Add(other, "peer", own)
	t.peer.Up()
	t.Add(own)
	t.Del(own)
	t.Add(own, "peer", other)
	t.Up()
	t.DefaultVia("")
}
