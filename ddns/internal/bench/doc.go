// Package bench measures how long wanbeacon takes from the kernel's event to
// the provider's server, against a bare program in the same laboratory.
//
//	make bench
//
// Each of the two programs has a router of its own, with several WANs, and
// both have the same server behind the same provider of internet access. Runs
// alternate between the two, so both see the same machine and the same load.
// A run begins right before the kernel is asked to add an address and ends
// with the first byte of the request at the server.
//
// The bare program does what cannot be left out: it waits for a netlink
// message, binds a socket to the new address and its device, connects and
// writes a request; plain system calls, one thread, no allocation. Both sleep
// between their runs, and both run on the same processor, the server and the
// measurement on another. The goal is
// a ratio: wanbeacon's median within 1.3 times, and its 99th percentile within
// 2 times, the bare program's. Only ratios of one measurement are judged, since
// times differ between machines and from minute to minute; a measurement that
// misses is repeated twice.
//
// The same over TLS is printed as information: there the handshake counts, and
// the bare program does it with the same library.
package bench
