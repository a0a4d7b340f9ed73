package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Address is one address of a device, as the kernel tells it.
type Address struct {
	Prefix           netip.Prefix // the address itself and its length
	Peer             netip.Addr   // far end of a point-to-point device, else zero
	Flags            uint32       // IFA_F_*
	Preferred, Valid time.Duration
}

// Usable says that the address is neither tentative, failed nor deprecated.
func (a Address) Usable() bool {
	return a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED|unix.IFA_F_DEPRECATED) == 0
}

// Addrs returns the device's addresses of both families; none when it does
// not exist.
func (k *Link) Addrs() []Address {
	link, err := k.NS.handle.LinkByName(k.Name)
	if err != nil {
		return nil
	}
	var list []netlink.Addr
	for range 100 { // an interrupted dump is taken again
		list, err = k.NS.handle.AddrList(link, unix.AF_UNSPEC)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	var addrs []Address
	for _, a := range list {
		ip, _ := netip.AddrFromSlice(a.IP)
		bits, _ := a.Mask.Size()
		addr := Address{
			Prefix:    netip.PrefixFrom(ip.Unmap(), bits),
			Flags:     uint32(a.Flags),
			Preferred: time.Duration(a.PreferedLft) * time.Second,
			Valid:     time.Duration(a.ValidLft) * time.Second,
		}
		if a.Peer != nil && !a.Peer.IP.Equal(a.IP) {
			peer, _ := netip.AddrFromSlice(a.Peer.IP)
			addr.Peer = peer.Unmap()
		}
		addrs = append(addrs, addr)
	}
	return addrs
}

// HasDefault says whether the main table has a default route of the family (4
// or 6) through the device.
func (k *Link) HasDefault(family int) bool {
	link, err := k.NS.handle.LinkByName(k.Name)
	if err != nil {
		return false
	}
	af := unix.AF_INET
	if family == 6 {
		af = unix.AF_INET6
	}
	routes, _ := k.NS.handle.RouteList(link, af)
	for _, r := range routes {
		if r.Dst == nil {
			return true
		}
		if ones, _ := r.Dst.Mask.Size(); ones == 0 {
			return true
		}
	}
	return false
}

// WaitAddr waits until the device has a usable address within the prefix, and
// returns it.
func (k *Link) WaitAddr(ctx context.Context, within string) Address {
	k.NS.lab.Helper()
	prefix, err := netip.ParsePrefix(within)
	if err != nil {
		k.NS.lab.Fatalf("lab: %v", err)
	}
	var found Address
	k.NS.Wait(ctx, k.Name+" has an address in "+within, func() bool {
		for _, a := range k.Addrs() {
			if prefix.Contains(a.Prefix.Addr()) && a.Usable() {
				found = a
				return true
			}
		}
		return false
	})
	return found
}

// WaitDefault waits until the device has a default route of the family.
func (k *Link) WaitDefault(ctx context.Context, family int) {
	k.NS.lab.Helper()
	k.NS.Wait(ctx, fmt.Sprintf("%s has the IPv%d default route", k.Name, family), func() bool { return k.HasDefault(family) })
}

// Wait returns once cond holds. It looks at the beginning and after each
// message of the kernel about links, addresses and routes of the namespace;
// when ctx ends first, the test fails and what shows the kernel's view.
func (ns *Namespace) Wait(ctx context.Context, what string, cond func() bool) {
	ns.lab.Helper()
	ctx, cancel := patient(ctx)
	defer cancel()
	var fd int
	err := ns.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1<<(unix.RTNLGRP_LINK-1) |
			1<<(unix.RTNLGRP_IPV4_IFADDR-1) | 1<<(unix.RTNLGRP_IPV6_IFADDR-1) |
			1<<(unix.RTNLGRP_IPV4_ROUTE-1) | 1<<(unix.RTNLGRP_IPV6_ROUTE-1)})
	})
	if err != nil {
		ns.lab.Fatalf("lab: %s: netlink: %v", ns.Name, err)
	}
	socket := os.NewFile(uintptr(fd), "netlink")
	defer socket.Close()
	stop := context.AfterFunc(ctx, func() { socket.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buffer := make([]byte, 1<<16)
	for !cond() {
		// What a message says does not matter, nor does ENOBUFS: look again.
		if _, err := socket.Read(buffer); err != nil && !errors.Is(err, unix.ENOBUFS) {
			if cond() {
				return
			}
			ns.lab.Fatalf("lab: %s: waited in vain: %s (%v)\n%s%s", ns.Name, what, err,
				ns.IP("address"), ns.IP("route", "show", "table", "all"))
		}
	}
}

// patient bounds a wait.
func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, Patience)
}
