// Package machine boots whole routers: a real kernel of each architecture
// under qemu-system, with a busybox and wanbeacon's package in its memory, and
// a lease that changes. `make test-emulated` runs it; as it takes minutes and
// needs what fetch.sh brings, it is no part of `make test`. It has tests only.
package machine
