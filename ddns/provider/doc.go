// Package provider turns "publish these addresses" into the requests of a
// dynamic-DNS provider, and the provider's replies into outcomes.
//
// What a provider is like (its URLs, fields, replies and limits) is data: one
// TOML file each, built in or the user's own. The code knows only families of
// protocol. The package never decides when to send, never repeats a request
// on its own account (but for one answer that asks for a smaller one), and
// lets no secret out: not in an outcome, an error or a preview.
//
//	cat, broken := provider.Open("/etc/wanbeacon/providers.d")
//	def, err := cat.Lookup("noip")
//	p, problems := provider.New(def, account, provider.Options{Version: "1.0.0"})
//	for _, group := range p.Group(updates) {
//		outcomes := p.Send(ctx, origin, pick(updates, group))
//	}
package provider
