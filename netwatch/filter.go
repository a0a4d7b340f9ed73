package netwatch

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// filter has the kernel drop what is not worth waking up for: routes that lead
// somewhere in particular (each address brings several, a full routing table
// thousands) and neighbours other than the hosts. Where a filter cannot be had,
// [isDefault] and [follows] sort them out.
func filter(fd uintptr, hosts []MAC) {
	program := filterProgram(hosts)
	_ = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}

// maxFilter is how many hosts the kernel is asked to look for; of more, all
// neighbours are looked at here (BPF_MAXINSNS is 4096).
const maxFilter = 500

// filterProgram is classic BPF, run on each datagram of the kernel. A route is
// alone in its datagram, as is a neighbour. Of neighbours it lets through those
// with a hardware address of the hosts (the extension SKF_AD_NLATTR finds the
// attribute), and that an IPv6 address does not answer.
func filterProgram(hosts []MAC) []unix.SockFilter {
	const (
		ld, ldh, ldb  = unix.BPF_LD | unix.BPF_W, unix.BPF_LD | unix.BPF_H, unix.BPF_LD | unix.BPF_B
		abs, ind, imm = unix.BPF_ABS, unix.BPF_IND, unix.BPF_IMM
		jeq, jset     = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		nlattr        = 0xfffff000 + 12 // SKF_AD_OFF + SKF_AD_NLATTR
		rtmsg, ndmsg  = unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN
	)
	all, none := unix.SockFilter{Code: unix.BPF_RET, K: 1<<32 - 1}, unix.SockFilter{Code: unix.BPF_RET}
	f := []unix.SockFilter{
		{Code: ldh | abs, K: 4}, // nlmsg_type
		{Code: jeq, Jt: 1, K: inNetworkOrder(unix.RTM_NEWROUTE)},
		{Code: jeq, Jf: 4, K: inNetworkOrder(unix.RTM_DELROUTE)},
		{Code: ldb | abs, K: rtmsg + 1}, // rtm_dst_len
		{Code: jeq, Jt: 1, K: 0},
		none,
		all,
	}
	if len(hosts) == 0 {
		return append(f, all)
	}
	f = append(f, []unix.SockFilter{
		{Code: jeq, Jt: 2, K: inNetworkOrder(unix.RTM_DELNEIGH)},
		{Code: jeq, Jt: 2, K: inNetworkOrder(unix.RTM_NEWNEIGH)},
		all, // another kind
		none,
		{Code: ldb | abs, K: ndmsg}, // ndm_family
		{Code: jeq, Jt: 1, K: unix.AF_INET6},
		none,
		{Code: ldh | abs, K: ndmsg + 8}, // ndm_state
		{Code: jset, Jf: 1, K: inNetworkOrder(unix.NUD_FAILED)},
		all,
		{Code: jset, Jt: 1, K: inNetworkOrder(learnedStates)},
		none,
		{Code: ld | imm, K: ndmsg + unix.SizeofNdMsg},
		{Code: unix.BPF_LDX | unix.BPF_W | unix.BPF_IMM, K: unix.NDA_LLADDR},
		{Code: ld | abs, K: nlattr},
		{Code: jeq, Jf: 1},
		none,
		{Code: unix.BPF_MISC | unix.BPF_TAX},
	}...)
	if len(hosts) > maxFilter {
		return append(f, all)
	}
	for _, h := range hosts {
		f = append(f,
			unix.SockFilter{Code: ld | ind, K: unix.SizeofRtAttr},
			unix.SockFilter{Code: jeq, Jf: 3, K: binary.BigEndian.Uint32(h[:])},
			unix.SockFilter{Code: ldh | ind, K: unix.SizeofRtAttr + 4},
			unix.SockFilter{Code: jeq, Jf: 1, K: uint32(binary.BigEndian.Uint16(h[4:]))},
			all,
		)
	}
	return append(f, none)
}

// inNetworkOrder is what a filter reads where the kernel wrote n in its own order.
func inNetworkOrder(n uint16) uint32 {
	var b [2]byte
	native.PutUint16(b[:], n)
	return uint32(binary.BigEndian.Uint16(b[:]))
}
