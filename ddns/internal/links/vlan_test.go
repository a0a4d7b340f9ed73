package links

import (
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// tag makes a VLAN of a device, up.
func tag(k *lab.Link, id string) *lab.Link {
	name := k.Name + "." + id
	k.NS.IP("link", "add", "link", k.Name, "name", name, "type", "vlan", "id", id)
	v := k.NS.Link(name)
	v.Up()
	return v
}

// A WAN that is a VLAN, as of many fibre lines: leases by DHCP, and the device
// made again with another index. The same wire carries another VLAN, whose
// address is not ours.
func TestVLAN(t *testing.T) {
	for name, source := range map[string]string{"device found": "", "device named": "[source.wan]\ninterface = \"wan.7\"\n"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.ISPLink.Flush(4)
			far := tag(s.ISPLink, "7")
			far.Add(gateway + "/24")
			pool := func(addr string) lab.Pool { return lab.Pool{First: addr, Router: gateway} }
			dhcp := far.DHCPServer(s.ctx, pool("11.22.33.7"))
			s.start(source)
			tag(s.WAN, "8").Add("11.22.44.9/24")

			wan := tag(s.WAN, "7")
			client := wan.DHCPClient(lab.AddFirst)
			r := s.settled("11.22.33.7")
			if from := r.Remote.Addr().String(); from != "11.22.33.7" {
				t.Errorf("the request came from %s", from)
			}
			dhcp.Switch(s.ctx, pool("11.22.33.8"))
			client.Rediscover(s.ctx)
			s.settled("11.22.33.8")

			client.Kill()
			was := wan.Index()
			wan.Delete()
			dhcp.Switch(s.ctx, pool("11.22.33.9"))
			wan = tag(s.WAN, "7")
			if wan.Index() == was {
				t.Error("the index is the same")
			}
			wan.DHCPClient(lab.AddFirst)
			s.settled("11.22.33.9")
			if c := s.candidates("wan")["11.22.44.9/24"]; c.Reason != "not on wan.7" {
				t.Errorf("the other VLAN: %+v", c)
			}
		})
	}
}
