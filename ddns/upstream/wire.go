package upstream

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Operations and sizes of PCP and NAT-PMP, which share a port; the first byte
// tells which one it is.
const (
	versionNATPMP = 0
	versionPCP    = 2

	opAnnounce = 0 // PCP; of NAT-PMP, the question for the outside address
	opMap      = 1
	opResponse = 0x80

	pcpHeader = 24
	pcpMap    = pcpHeader + 36

	protocolUDP = 17
)

// askNATPMP is the question for the outside address (RFC 6886 section 3.2).
var askNATPMP = []byte{versionNATPMP, 0}

// message is an answer or a notice of a gateway.
type message struct {
	version byte
	op      byte   // without the response bit
	result  uint16 // 0: success
	epoch   uint32 // seconds since the gateway lost or gained its state
	addr    netip.Addr

	nonce    [12]byte // of a PCP MAP
	lifetime uint32   // seconds
}

// parse reads a packet from a gateway; false: it is none of the protocols'.
func parse(b []byte) (m message, ok bool) {
	if len(b) < 8 || b[1]&opResponse == 0 {
		return m, false
	}
	m.version, m.op = b[0], b[1]&^opResponse
	switch m.version {
	case versionNATPMP: // RFC 6886 sections 3.2 and 3.5
		m.result, m.epoch = binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:])
		if m.op != 0 || len(b) < 12 && m.result == 0 { // "version not supported" may be short
			return m, false
		}
		if len(b) >= 12 {
			m.addr = address(netip.AddrFrom4([4]byte(b[8:12])))
		}
		return m, true
	case versionPCP: // RFC 6887 sections 7.2, 11.1 and 14.1
		if len(b) < pcpHeader || len(b) > 1100 || len(b)%4 != 0 {
			return m, false
		}
		m.result, m.lifetime, m.epoch = uint16(b[3]), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
		if m.op == opMap && len(b) >= pcpMap {
			m.nonce = [12]byte(b[pcpHeader:])
			m.addr = address(netip.AddrFrom16([16]byte(b[pcpHeader+20:])).Unmap())
		}
		return m, m.op == opAnnounce || m.op == opMap && (m.result != 0 || len(b) >= pcpMap)
	}
	return m, false
}

// address is a, or the zero Addr if a is no IPv4 address of a host.
func address(a netip.Addr) netip.Addr {
	if !a.Is4() || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}
	}
	return a
}

// askAnnounce is a PCP ANNOUNCE of a client, which a server answers with its
// epoch and which changes nothing (RFC 6887 section 14.1.1).
func askAnnounce(local netip.Addr) []byte {
	b := make([]byte, pcpHeader)
	b[0], b[1] = versionPCP, opAnnounce
	from := local.As16()
	copy(b[8:], from[:])
	return b
}

// askMap asks for a mapping of one of our UDP ports, whose answer tells the
// outside address; seconds of 0 take it away (RFC 6887 sections 11.1 and 15).
func askMap(local netip.Addr, port uint16, nonce [12]byte, seconds uint32) []byte {
	b := append(askAnnounce(local), make([]byte, pcpMap-pcpHeader)...)
	b[1] = opMap
	binary.BigEndian.PutUint32(b[4:], seconds)
	copy(b[pcpHeader:], nonce[:])
	b[pcpHeader+12] = protocolUDP
	binary.BigEndian.PutUint16(b[pcpHeader+16:], port)
	if seconds > 0 { // any outside port and address will do
		any4 := netip.IPv4Unspecified().As16()
		copy(b[pcpHeader+20:], any4[:])
	}
	return b
}

// problem says what a result other than 0 means to the user.
func (m message) problem() string {
	if m.version == versionNATPMP && m.result == 3 || m.version == versionPCP && m.result == 7 {
		return "it has no public address outside" // "network failure"
	}
	if m.result == 2 {
		return "it refuses to say (not authorized)"
	}
	return fmt.Sprintf("it answers with error %d", m.result)
}

// restarted reports whether a gateway has lost its state between two epochs
// that were seen some seconds apart (RFC 6887 section 8.5, with its slack).
func restarted(before, now, elapsed uint32) bool {
	if now+1 < before {
		return true
	}
	grown := now - min(before, now)
	return grown+2 < elapsed-elapsed/16 || elapsed+2 < grown-grown/16
}
