// Package vendors shows that wanbeacon and the great providers understand each
// other. It has tests only.
//
// Each file VENDOR_test.go has a small server that does what the vendor's
// documentation says, and no more: methods, paths, parameters, credentials and
// signatures, content types, JSON members, paging and error replies. It was
// written from that documentation and not from our catalogue, it keeps zones
// and records as the vendor does, and it makes a note of everything in a
// request that the documentation does not have. A configuration as a user
// writes it then publishes addresses there: at first, after a change, without
// one, in both families, with wrong credentials and for a name that the account
// does not have. In the end the server must have the right records, and no note.
//
// peers_test.go runs Debian's ddclient and inadyn against the same servers with
// the same accounts, hostnames and addresses. What they send is compared with
// what we send, by its meaning; every difference is in a table there, with its
// reason, and one that is not fails the test. DigitalOcean, Porkbun and the
// Hetzner Cloud API are spoken by neither in Debian's versions (ddclient 3.10,
// inadyn 2.10), so that there is nothing to compare with.
//
// All this happens in a network namespace that has nothing but a loopback
// device and an /etc/hosts in which the vendors' names are 127.0.0.1. So
// everybody uses the real names, over https, with certificates of an authority
// made for the tests, and nothing can reach a real vendor.
package vendors
