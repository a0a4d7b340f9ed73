package links

import "testing"

const table = "10" // of the VRF

// vrf makes a VRF, up. Its table and the main one know nothing of each other.
func (s *site) vrf() {
	s.t.Helper()
	s.Router.IP("link", "add", "vrf-wan", "type", "vrf", "table", table)
	s.Router.Link("vrf-wan").Up()
}

// The WAN moves into a VRF and out of it. Whoever looks for its default route
// in the main table finds none there meanwhile; requests leave through the WAN
// all the same, and the resolver stays where it is.
func TestVRF(t *testing.T) {
	for name, source := range map[string]string{"device found": "", "device named": onWAN} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.vrf()
			s.online(s.WAN, "11.22.33.7")
			s.start(source)
			s.settled("11.22.33.7")

			s.WAN.Master("vrf-wan") // its routes go with it, or go
			s.online(s.WAN, "11.22.33.8", "table", table)
			r := s.settled("11.22.33.8")
			if from := r.Remote.Addr().String(); from != "11.22.33.8" {
				t.Errorf("from within the VRF the request came from %s", from)
			}

			s.WAN.Master("")
			s.online(s.WAN, "11.22.33.9")
			s.settled("11.22.33.9")
		})
	}
}

// The WAN is in a VRF from the beginning.
func TestStartInVRF(t *testing.T) {
	for name, source := range map[string]string{"device found": "", "device named": onWAN} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.vrf()
			s.WAN.Master("vrf-wan")
			s.online(s.WAN, "11.22.33.7", "table", table)
			s.start(source)
			s.settled("11.22.33.7")
			if c := s.candidates("wan")["11.22.33.7/24"]; !c.Taken || c.Interface != "wan" {
				t.Errorf("addresses: %+v", c)
			}
			s.WAN.NoDefault(4, "table", table)
			s.WAN.Flush(4)
			s.online(s.WAN, "11.22.33.8", "table", table)
			s.settled("11.22.33.8")
		})
	}
}
