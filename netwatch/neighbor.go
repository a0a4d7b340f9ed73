package netwatch

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// MAC is a 48-bit hardware address.
type MAC [6]byte

// Neighbor is an IPv6 address that a host of a link has, by the kernel's
// neighbour table. Snapshots hold those of the hosts that were asked for with
// [Open], [Take] or [Watcher.Follow], in the order in which they were first seen.
type Neighbor struct {
	Link  int // index of the link
	Addr  netip.Addr
	MAC   MAC
	State Presence
}

// Presence is how sure it is that a host is at an address. A host that is
// silent does not leave: only one that was asked and has not answered.
type Presence uint8

// The states. An address is never taken away by the kernel's forgetting it,
// but with the link, or when the table is read anew.
const (
	There  Presence = iota // the host has been there since it last failed to answer
	Unsure                 // it was there, and has failed to answer at another address since
	Gone                   // it was asked there and has not answered
)

// perHost bounds how many addresses of one host are kept. Of more, the oldest
// are most likely the stable ones, and the newest are in use: one in the middle goes.
const perHost = 32

// learnedStates are those of NEWNEIGH events that can tell something new; the
// others (delay, probe) are steps on the way to one of them.
const learnedStates = unix.NUD_REACHABLE | unix.NUD_STALE | unix.NUD_PERMANENT | unix.NUD_NOARP | unix.NUD_FAILED

// neighborMessage is one RTM_NEWNEIGH.
type neighborMessage struct {
	Neighbor        // MAC is zero if the message has none
	nud      uint16 // NUD_*
}

// parseNeighbor reads the ndmsg of RTM_NEWNEIGH. ok is false for what is not
// about an IPv6 host.
func parseNeighbor(b []byte) (n neighborMessage, ok bool, err error) {
	if len(b) < unix.SizeofNdMsg {
		return n, false, errMessageCut
	}
	if b[0] != unix.AF_INET6 || b[10]&unix.NTF_PROXY != 0 || b[11] != unix.RTN_UNICAST {
		return n, false, nil
	}
	n.Link, n.nud = int(int32(native.Uint32(b[4:]))), native.Uint16(b[8:])
	for b = b[unix.SizeofNdMsg:]; len(b) > 0; {
		var kind uint16
		var v []byte
		if kind, v, b, err = nextAttr(b); err != nil {
			return n, false, err
		}
		switch kind {
		case unix.NDA_DST:
			if n.Addr, err = attrAddr(unix.AF_INET6, v); err != nil {
				return n, false, err
			}
		case unix.NDA_LLADDR:
			if len(v) == len(n.MAC) { // other kinds of links have longer ones
				copy(n.MAC[:], v)
			}
		}
	}
	return n, n.Addr.IsValid() && n.Link > 0, nil
}

// setNeighbor applies a RTM_NEWNEIGH.
func (m *mirror) setNeighbor(n *neighborMessage) {
	at := -1
	for i := range m.neighbors {
		if o := &m.neighbors[i]; o.Link == n.Link && o.Addr == n.Addr {
			at = i
		}
	}
	if n.nud&unix.NUD_FAILED != 0 { // it has no MAC
		if at >= 0 {
			m.hostFailed(at)
		}
		return
	}
	if n.nud&(learnedStates|unix.NUD_DELAY|unix.NUD_PROBE) == 0 {
		return
	}
	if at >= 0 && m.neighbors[at].MAC != n.MAC { // another host has it now
		m.removeNeighbor(at)
		at = -1
	}
	if at < 0 {
		if follows(m.follow, n.MAC) {
			m.addNeighbor(n.Neighbor)
		}
		return
	}
	// That an answer gets old is no sign of life; that it is there again after
	// a failure is one, as the host must have spoken.
	o := &m.neighbors[at]
	if o.State == Gone || o.State == Unsure && n.nud&(unix.NUD_REACHABLE|unix.NUD_PERMANENT|unix.NUD_NOARP) != 0 {
		o.State, m.newNeighbors = There, true
	}
}

func (m *mirror) addNeighbor(n Neighbor) {
	count, middle := 0, 0
	for i := range m.neighbors {
		if m.neighbors[i].MAC == n.MAC {
			if count++; count == perHost/2 {
				middle = i
			}
		}
	}
	if count >= perHost {
		m.removeNeighbor(middle)
	}
	m.neighbors, m.newNeighbors = append(m.neighbors, n), true
}

// hostFailed notes that a host did not answer at one of its addresses.
func (m *mirror) hostFailed(at int) {
	for i := range m.neighbors {
		o := &m.neighbors[i]
		if o.MAC != m.neighbors[at].MAC {
			continue
		}
		state := max(o.State, Unsure)
		if i == at {
			state = Gone
		}
		if o.State != state {
			o.State, m.newNeighbors = state, true
		}
	}
}

// replaceNeighbors takes the whole table. What stays keeps its place and state,
// as the table does not tell what came before.
func (m *mirror) replaceNeighbors(table []neighborMessage) {
	m.dropNeighbors(func(o *Neighbor) bool {
		for i := range table {
			if n := &table[i]; n.Link == o.Link && n.Addr == o.Addr {
				return !follows(m.follow, o.MAC)
			}
		}
		return true
	})
	for i := range table {
		m.setNeighbor(&table[i])
	}
}

// dropNeighbors takes out those that gone says so of.
func (m *mirror) dropNeighbors(gone func(n *Neighbor) bool) {
	for i := len(m.neighbors) - 1; i >= 0; i-- {
		if gone(&m.neighbors[i]) {
			m.removeNeighbor(i)
		}
	}
}

func (m *mirror) removeNeighbor(at int) {
	m.neighbors = append(m.neighbors[:at], m.neighbors[at+1:]...)
	m.newNeighbors = true
}

func follows(hosts []MAC, h MAC) bool {
	for _, f := range hosts {
		if f == h {
			return true
		}
	}
	return false
}

// Follow makes the snapshots hold the neighbours with these hardware addresses,
// in place of those asked for before. Without any the kernel's neighbour table
// is not listened to, and nobody is woken by it.
func (w *Watcher) Follow(hosts []MAC) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.asked) == 0 && len(hosts) == 0 {
		return
	}
	w.asked, w.pending = hosts, true
	if w.events != nil {
		w.events.wakeUp()
	}
}

// adopt puts what was asked for in force.
func (w *Watcher) adopt(fd uintptr) {
	w.mu.Lock()
	hosts := w.asked
	w.pending = false
	w.mu.Unlock()
	w.mirror.follow = hosts
	filter(fd, hosts)
	if len(hosts) == 0 {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_NETLINK, unix.NETLINK_DROP_MEMBERSHIP, unix.RTNLGRP_NEIGH)
		return
	}
	if err := unix.SetsockoptInt(int(fd), unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, unix.RTNLGRP_NEIGH); err != nil {
		w.tell("subscribing to the kernel's neighbour table: %v", err)
	}
}
