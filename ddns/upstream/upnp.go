package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// igd is the part of a UPnP Internet Gateway Device that knows the outside
// address: its service WANIPConnection or WANPPPConnection.
type igd struct {
	gw      *Gateway
	client  *provider.Client
	service string // "urn:schemas-upnp-org:service:WANIPConnection:1"
	control string // URL
	events  string // URL; "": it announces nothing
}

const schema = "urn:schemas-upnp-org:"

// searches are what one looks for; devices of version 2 answer as version 1 too.
var searches = [...]string{schema + "device:InternetGatewayDevice:1", schema + "service:WANIPConnection:1", schema + "service:WANPPPConnection:1"}

// search is an SSDP question (UPnP Device Architecture 1.1, section 1.3).
func search(target string) []byte {
	return []byte("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + target + "\r\n\r\n")
}

// location reads the answer to a search: where the description is.
func location(packet []byte) string {
	head, fields, _ := strings.Cut(string(packet), "\n")
	if !strings.HasPrefix(head, "HTTP/1.") || !strings.Contains(head, " 200") {
		return ""
	}
	return header(fields, "location")
}

// header is a field of a header, its name in lower case; "": there is none.
func header(fields, name string) string {
	for line := range strings.Lines(fields) {
		key, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.TrimSpace(value)
		}
		if strings.TrimSpace(line) == "" {
			break
		}
	}
	return ""
}

var errNotGateways = errors.New("UPnP: it leads to another host than the gateway")

// describe reads the description at a URL.
func describe(ctx context.Context, c *provider.Client, gw *Gateway, url string) (*igd, error) {
	if !leadsTo(url, gw.Addr) {
		return nil, errNotGateways
	}
	d := &igd{gw: gw, client: c}
	r, err := d.call(ctx, "GET", url, "")
	if err != nil {
		return nil, err
	}
	if base := text(r.Body, "URLBase"); leadsTo(base, gw.Addr) {
		url = base
	}
	if !d.find(r.Body, url) {
		return nil, errors.New("UPnP: the gateway has no connection to the internet in its description")
	}
	return d, nil
}

// find takes the first connection of a description.
func (d *igd) find(xml, base string) bool {
	for {
		service, rest, ok := element(xml, "service")
		if !ok {
			return false
		}
		xml = rest
		kind := text(service, "serviceType")
		if name, is := strings.CutPrefix(kind, schema+"service:WAN"); is &&
			(strings.HasPrefix(name, "IPConnection:") || strings.HasPrefix(name, "PPPConnection:")) && plain(kind) {
			d.service, d.control, d.events = kind, resolve(base, text(service, "controlURL")), resolve(base, text(service, "eventSubURL"))
			if !leadsTo(d.events, d.gw.Addr) {
				d.events = ""
			}
			if leadsTo(d.control, d.gw.Addr) {
				return true
			}
		}
	}
}

// plain says that a text can stand in a header and in XML as it is.
func plain(s string) bool {
	return !strings.ContainsAny(s, `<>&"'`) && visible(s)
}

// visible says that a text can stand in a request as it is.
func visible(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// leadsTo says whether a URL is of http and leads to a host, and can be written
// into a request as it is.
func leadsTo(url string, host netip.Addr) bool {
	rest, ok := strings.CutPrefix(url, "http://")
	authority, _, _ := strings.Cut(rest, "/")
	name, port, _ := strings.Cut(authority, ":")
	return ok && name == host.String() && strings.Trim(port, "0123456789") == "" && visible(url)
}

// resolve makes a URL of a reference in a description.
func resolve(base, ref string) string {
	if ref == "" || strings.Contains(ref, "://") {
		return ref
	}
	start := len("http://")
	host, _, _ := strings.Cut(base[start:], "/")
	if ref[0] == '/' {
		return base[:start] + host + ref
	}
	if path := base[start+len(host):]; path != "" {
		return base[:start] + host + path[:strings.LastIndexByte(path, '/')+1] + ref
	}
	return base + "/" + ref
}

// address asks for the outside address (WANIPConnection:1 section 2.4.18).
func (d *igd) address(ctx context.Context) (netip.Addr, error) {
	const action = "GetExternalIPAddress"
	body := `<?xml version="1.0"?>` + "\r\n" +
		`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>` +
		`<u:` + action + ` xmlns:u="` + d.service + `"/></s:Body></s:Envelope>`
	r, err := d.call(ctx, "POST", d.control, body,
		[2]string{"Content-Type", `text/xml; charset="utf-8"`}, [2]string{"SOAPAction", `"` + d.service + "#" + action + `"`})
	if err != nil {
		return netip.Addr{}, err
	}
	answer, _, ok := element(r.Body, action+"Response")
	if !ok || r.Status != 200 {
		return netip.Addr{}, fmt.Errorf("UPnP: no answer to %s (HTTP %d)", action, r.Status)
	}
	a, err := netip.ParseAddr(text(answer, "NewExternalIPAddress"))
	if a = address(a); err != nil || !a.IsValid() {
		return netip.Addr{}, errNoOutside
	}
	return a, nil
}

var errNoOutside = errors.New("it has no public address outside")

// lease is how long a subscription is asked for.
const lease = 30 * time.Minute

// subscribe asks for a notice of each change (UPnP Device Architecture 1.1,
// section 4.1.2), sent to callback; sid renews what there is. It returns the
// subscription's name and how long it holds.
func (d *igd) subscribe(ctx context.Context, callback, sid string) (string, time.Duration, error) {
	fields := [][2]string{{"SID", sid}}
	if sid == "" {
		fields = [][2]string{{"CALLBACK", "<" + callback + ">"}, {"NT", "upnp:event"}}
	}
	fields = append(fields, [2]string{"TIMEOUT", "Second-" + strconv.Itoa(int(lease/time.Second))})
	r, err := d.call(ctx, "SUBSCRIBE", d.events, "", fields...)
	if err != nil {
		return "", 0, err
	}
	name := r.Header["sid"]
	if r.Status != 200 || name == "" || !plain(name) {
		return "", 0, fmt.Errorf("UPnP: no subscription (HTTP %d)", r.Status)
	}
	seconds, err := strconv.Atoi(strings.TrimPrefix(r.Header["timeout"], "Second-"))
	if err != nil || seconds > int(lease/time.Second) { // "infinite" is not believed
		seconds = int(lease / time.Second)
	}
	return name, max(time.Duration(seconds)*time.Second, time.Minute), nil
}

// unsubscribe says that nobody listens any more.
func (d *igd) unsubscribe(ctx context.Context, sid string) {
	d.call(ctx, "UNSUBSCRIBE", d.events, "", [2]string{"SID", sid})
}

// callTimeout bounds one request to the gateway.
const callTimeout = 5 * time.Second

func (d *igd) call(ctx context.Context, method, url, body string, header ...[2]string) (*provider.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := d.client.Do(ctx, provider.Call{Method: method, URL: url, Header: header, Body: body, Device: d.gw.Device, From: d.gw.Local})
	if err != nil {
		return nil, fmt.Errorf("UPnP: %w", err)
	}
	return r, nil
}
