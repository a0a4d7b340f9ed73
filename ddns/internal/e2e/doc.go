// Package e2e tests wanbeacon from end to end: the real binary on a router in
// network namespaces, real DHCP, router advertisements and kernel events, a
// real provider (package lab).
//
// Everything is looked at from outside: what the provider was asked, what the
// log and the subcommands say, what is on the disk. What must not happen is
// shown by a sentinel, an event after it that must cause a request. Names such
// as D14 in the names of tests are those of the cases in the project's list:
// R replies, M several names, D detection, S state, L life.
//
// The Soak tests take long; `make soak` runs them.
package e2e
