// Package ubus follows what OpenWrt's netifd calls its networks: which kernel
// device "wan" is now.
//
// It speaks to ubusd itself, over its socket, and only asks and listens: it
// changes nothing, offers nothing, and polls nothing. Where there is no ubusd
// it says so.
//
// Start with [Follow], or with [Look] to look once.
package ubus

import (
	"context"
	"time"
)

// Networks is what netifd said last.
type Networks struct {
	// Devices has the device of each network; "" of one that is not up and was
	// not up since this program began.
	Devices map[string]string

	// Err says why nobody could be asked; Devices is nil then.
	Err error
}

// Look asks once.
func Look(ctx context.Context) Networks {
	c, err := dial()
	if err != nil {
		return Networks{Err: err}
	}
	defer c.Close()
	defer c.closeWith(ctx)()
	devices, err := c.devices()
	return Networks{devices, err}
}

const (
	firstPause = time.Second
	lastPause  = time.Minute
	settled    = 10 * time.Second // a connection that lived so long was a good one
)

// Follow asks, and asks again when netifd says that a network came or went, until
// ctx ends. tell is called with what was found when it differs from what it
// was; networks that go keep their device, as that is where they come back. When
// ubusd ends, what it said stands, and Follow waits for the next one.
func Follow(ctx context.Context, tell func(Networks)) {
	f := follower{tell: tell}
	pause := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		f.failed(f.session(ctx))
		if time.Since(began) > settled {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

type follower struct {
	tell    func(Networks)
	devices map[string]string
	told    bool // something was told
}

// session follows over one connection.
func (f *follower) session(ctx context.Context) error {
	c, err := dial()
	if err != nil {
		return err
	}
	defer c.Close()
	defer c.closeWith(ctx)()
	again := true
	c.heard = func() { again = true }
	// Events first, then the question: what happens in between is not missed.
	if err := c.listen("network.interface"); err != nil {
		return err
	}
	for {
		for again {
			again = false
			now, err := c.devices()
			if err == notFound { // netifd is not there; events come when it is
				f.failed(err)
				break
			}
			if err != nil {
				return err
			}
			f.found(now)
		}
		c.SetDeadline(time.Time{})
		if err := c.wait(); err != nil {
			return err
		}
		again = true
	}
}

// failed tells why nobody can be asked, if nobody could yet.
func (f *follower) failed(err error) {
	if !f.told {
		f.told = true
		f.tell(Networks{Err: err})
	}
}

// found tells what is new.
func (f *follower) found(now map[string]string) {
	same := f.devices != nil && len(now) == len(f.devices)
	for name, device := range now {
		if device == "" {
			now[name] = f.devices[name]
		}
		was, known := f.devices[name]
		same = same && known && was == now[name]
	}
	if !same {
		f.devices, f.told = now, true
		f.tell(Networks{Devices: now})
	}
}

// devices asks netifd for the layer 3 device of each network.
func (c *conn) devices() (map[string]string, error) {
	netifd, err := c.lookup("network.interface")
	if err != nil {
		return nil, err
	}
	data, err := c.invoke(netifd, "dump", nil)
	if err != nil {
		return nil, err
	}
	devices := map[string]string{}
	for a, rest, ok := next(data); ok; a, rest, ok = next(rest) {
		if a.name != "interface" || a.id != typeArray {
			continue
		}
		for one, more, ok := next(a.content); ok; one, more, ok = next(more) {
			name, device := "", ""
			for v, left, ok := next(one.content); ok; v, left, ok = next(left) {
				switch {
				case v.id != typeString:
				case v.name == "interface":
					name = text(v.content)
				case v.name == "l3_device":
					device = text(v.content)
				}
			}
			devices[name] = device
		}
	}
	return devices, nil
}
