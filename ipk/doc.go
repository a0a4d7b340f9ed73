// Command ipk makes the packages for OpenWrt and the feed that they are
// installed from: .ipk for opkg (24.10 and older), .apk for apk (25.12 and
// newer), their signed indexes, and the keys for those.
//
// It is pure Go, needs no root, asks no network, and makes the same bytes from
// the same commit. Whatever it has written it reads back, as the router would,
// and holds against what should be there; a difference is an error.
//
// Start with packages.go, which says what the packages are; files/ has what
// lands on the router, laid out as there, luci/ the page for LuCI.
package main
