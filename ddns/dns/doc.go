// Package dns reads and writes DNS messages (RFC 1035) and asks one server
// one question, over UDP and, where that does not do, over TCP.
//
// It is a codec and an exchange, no resolver: it follows no referral and no
// alias, keeps no cache, and opens no socket by itself. Names are texts in
// lower case without the last dot; the root is "". Unusual bytes of names that
// were read stand as \DDD; such a name cannot be written.
//
//	x := dns.Exchange{Dial: dial}
//	a, err := x.Ask(ctx, server, dns.NewQuestion("example.org", dns.TypeNS, dns.EDNS))
package dns
