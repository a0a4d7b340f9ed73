package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/columns"
	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

const providersUsage = `providers [-config PATH] [NAME]

Lists the providers: the built-in ones and your own definitions. With a name:
its fields, limits and notes, and an example to paste into the configuration.
`

func providersCommand(fs *flagSet, args []string) int {
	path := configFlag(fs)
	rest, status, done := fs.parse(args)
	if done {
		return status
	}
	catalogue, broken := provider.Open(providersDirOf(*path))
	for _, err := range broken {
		complain(err)
	}
	switch len(rest) {
	case 0:
		listProviders(catalogue)
		return exitDone
	case 1:
		def, err := catalogue.Lookup(rest[0])
		if err != nil {
			complain(err)
			return exitFailed
		}
		showProvider(def)
		return exitDone
	}
	fmt.Fprintln(os.Stderr, "wanbeacon providers: takes one name")
	return exitUsage
}

func providersDirOf(path string) string {
	if cfg, err := config.Load(path); err == nil {
		return cfg.Daemon.ProvidersDir
	}
	return defaultProvidersDir
}

func listProviders(c *provider.Catalogue) {
	t := columns.NewWriter(os.Stdout)
	fmt.Fprintln(t, "NAME\tTITLE\tFAMILIES\tNEEDS\tVERIFY\tDELETE\tCNAME\tSEVERAL")
	for _, name := range c.Names() {
		d, err := c.Lookup(name)
		if err != nil {
			fmt.Fprintf(t, "%s\tbroken: %v\n", name, err)
			continue
		}
		var needs []string
		for _, f := range d.Fields {
			if f.Required {
				needs = append(needs, f.Key)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name, d.Title, strings.Join(families(d), " "), strings.Join(needs, " "),
			yes(d.DNS.Unverifiable == ""), yes(d.CanRemove()), yes(d.Record.CNAME), yes(d.CanSeveral()))
	}
	t.Flush()
}

func families(d *provider.Definition) (list []string) {
	for _, f := range [...]config.Family{config.IPv4, config.IPv6} {
		if d.Supports(f) {
			list = append(list, f.String())
		}
	}
	return list
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func showProvider(d *provider.Definition) {
	fmt.Printf("%s: %s\n", d.Name, d.Title)
	for _, u := range d.Docs {
		fmt.Printf("  %s\n", u)
	}
	fmt.Printf("\nPublishes %s.\n", strings.Join(families(d), " and "))
	for _, n := range d.Notes {
		fmt.Println(n)
	}
	if d.CanSeveral() {
		fmt.Println("A name can have the addresses of several sources: all_sources = true in its [[record]].")
	}
	if l := d.Limits.MinInterval; l > 0 {
		fmt.Printf("At most one update of a record in %s.\n", time.Duration(l))
	}
	if d.DNS.Unverifiable != "" {
		fmt.Printf("Cannot be verified in the DNS: %s\n", d.DNS.Unverifiable)
	}
	if len(d.Fields) > 0 {
		fmt.Println("\nFields:")
		t := columns.NewWriter(os.Stdout)
		for _, f := range d.Fields {
			kind := "optional"
			if f.Required {
				kind = "required"
			}
			fmt.Fprintf(t, "  %s\t%s\t%s\n", f.Key, kind, describe(f))
		}
		t.Flush()
	}
	fmt.Printf("\nExample:\n\n%s", paste(d))
}

// describe is a field's label with its help.
func describe(f provider.Field) string {
	if f.Help == "" {
		return f.Label
	}
	return f.Label + ": " + f.Help
}

// paste is a configuration that passes `wanbeacon check`.
func paste(d *provider.Definition) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[provider.%s]\n", d.Name)
	_, own := d.Sample.Config["server"]
	for i := range d.Fields {
		own = own && d.Fields[i].Key != "server"
	}
	if v := d.Sample.Config["server"]; own {
		fmt.Fprintf(&b, "server = %s\n", strconv.Quote(v))
	}
	for _, f := range d.Fields {
		if v, ok := d.Sample.Config[f.Key]; ok {
			fmt.Fprintf(&b, "%s = %s\n", f.Key, strconv.Quote(v))
		}
	}
	fmt.Fprintf(&b, "\n[[record]]\nhostname = %q\nprovider = %q\n", d.Sample.Hostname, d.Name)
	if !d.Supports(config.IPv4) {
		b.WriteString("families = [\"ipv6\"]\n")
	}
	return b.String()
}
