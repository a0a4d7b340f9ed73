package publish

import "github.com/wanbeacon/wanbeacon/ddns/ubus"

// networks is what is known of OpenWrt's networks.
type networks struct {
	told   chan ubus.Networks
	follow bool // they are followed: a source has one
	last   *ubus.Networks
}

// known reports whether nothing is to be waited for.
func (n *networks) known() bool { return !n.follow || n.last != nil }

// followNetworks begins to follow them when the first source has one.
func (l *Loop) followNetworks() {
	for _, s := range l.plan.Sources {
		if s.Network == "" || l.networks.follow {
			continue
		}
		l.networks.follow = true
		ctx := l.ctx
		l.work.Go(func() {
			ubus.Follow(ctx, func(n ubus.Networks) {
				select {
				case l.networks.told <- n:
				case <-ctx.Done():
				}
			})
		})
	}
	if l.networks.last != nil {
		l.setNetworks()
	}
}

// onNetworks takes what netifd said. It is an event like the kernel's.
func (l *Loop) onNetworks(n ubus.Networks) {
	if n.Err != nil {
		l.log.Warnf("networks of OpenWrt: %v", n.Err)
	}
	l.networks.last = &n
	l.setNetworks()
	if l.snap != nil {
		l.observe(l.snap)
	}
}

func (l *Loop) setNetworks() { l.set.Networks(l.networks.last.Devices, l.networks.last.Err) }
