// Command docs writes docs/providers.md from the catalogue, to standard output.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

func main() {
	text, err := page()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Stdout.Write(text)
}

// page is docs/providers.md.
func page() ([]byte, error) {
	c, broken := provider.Open("")
	if len(broken) > 0 {
		return nil, broken[0]
	}
	var defs []*provider.Definition
	for _, name := range c.Names() {
		d, err := c.Lookup(name)
		if err != nil {
			return nil, err
		}
		defs = append(defs, d)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Providers

Made by `+"`make docs`"+` from the catalogue, [ddns/provider/catalogue](../ddns/provider/catalogue); change it there.

wanbeacon knows %d providers. `+"`wanbeacon providers NAME`"+` prints the same on the router, with an example to paste.
Your own definitions go into `+"`/etc/wanbeacon/providers.d`"+`; see [CONTRIBUTING.md](../CONTRIBUTING.md).

| name | provider | IPv4 | IPv6 | needs | verifiable | delete | CNAME | several |
|---|---|---|---|---|---|---|---|---|
`, len(defs))
	for _, d := range defs {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s | %s | %s | %s | %s | %s |\n", d.Name, d.Name, d.Title,
			tick(d.Supports(config.IPv4)), tick(d.Supports(config.IPv6)), strings.Join(required(d), ", "),
			tick(d.DNS.Unverifiable == ""), tick(d.CanRemove()), tick(d.Record.CNAME), tick(d.CanSeveral()))
	}
	for _, d := range defs {
		section(&b, d)
	}
	return b.Bytes(), nil
}

func section(b *bytes.Buffer, d *provider.Definition) {
	fmt.Fprintf(b, "\n## %s\n\n%s.", d.Name, strings.TrimSuffix(d.Title, "."))
	for _, u := range d.Docs {
		fmt.Fprintf(b, " <%s>", u)
	}
	b.WriteString("\n\n")
	for _, n := range d.Notes {
		fmt.Fprintf(b, "- %s\n", n)
	}
	if l := time.Duration(d.Limits.MinInterval); l > 0 {
		fmt.Fprintf(b, "- At most one update of a record in %s.\n", span(l))
	}
	if d.DNS.Unverifiable != "" {
		fmt.Fprintf(b, "- Cannot be verified in the DNS: %s\n", d.DNS.Unverifiable)
	}
	if len(d.DNS.Zones) > 0 {
		fmt.Fprintf(b, "- Hostnames under %s.\n", strings.Join(d.DNS.Zones, ", "))
	}
	if len(d.Fields) == 0 {
		return
	}
	b.WriteString("\n| field | | |\n|---|---|---|\n")
	for _, f := range d.Fields {
		kind := "optional"
		if f.Required {
			kind = "required"
		}
		if f.Secret {
			kind += ", secret"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Key, kind, strings.TrimSpace(f.Label+": "+f.Help))
	}
}

func required(d *provider.Definition) (keys []string) {
	for _, f := range d.Fields {
		if f.Required {
			keys = append(keys, "`"+f.Key+"`")
		}
	}
	return keys
}

func tick(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// span writes a duration without the zero parts: 5m, 1h30m.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
