package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/program"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/publish"
)

// messengers are the ways of [notify]. Neither shows a secret: of the URL, which
// may hold one, only the host is named.
func messengers(cfg *config.Config) []publish.Messenger {
	var list []publish.Messenger
	if argv := cfg.Notify.Command; len(argv) > 0 {
		list = append(list, publish.Messenger{Name: argv[0], Deliver: func(ctx context.Context, message []byte) error {
			_, complaint, err := program.Run(ctx, argv, nil, append(message, '\n'))
			if first, _, _ := strings.Cut(strings.TrimSpace(string(complaint)), "\n"); err != nil && first != "" {
				err = fmt.Errorf("%w: %s", err, provider.Quote(first))
			}
			return err
		}})
	}
	if at := cfg.Notify.URL; at != "" {
		client := provider.NewClient(provider.Options{Version: version, CAFile: cfg.Daemon.CAFile, Timeout: cfg.Daemon.Timeout})
		name := "url"
		if u, err := url.Parse(at); err == nil {
			name = u.Host
		}
		list = append(list, publish.Messenger{Name: name, Deliver: func(ctx context.Context, message []byte) error {
			r, err := client.Do(ctx, provider.Call{Method: "POST", URL: at, Body: string(message),
				Header: [][2]string{{"Content-Type", "application/json"}, {"User-Agent", "wanbeacon/" + version}}})
			if err == nil && r.Status/100 != 2 {
				err = fmt.Errorf("HTTP status %d", r.Status)
			}
			return err
		}})
	}
	return list
}
