// Package links tests wanbeacon on the kinds of links that routers have and
// the kernels of build machines often lack: VLANs, PPP sessions over Ethernet,
// VRFs, WireGuard, 6in4, DS-Lite. `make test-links` runs the tests in an
// emulated machine (boot.sh); WANBEACON_LINKS=1 runs them under the kernel that
// is there. It has tests only.
package links
