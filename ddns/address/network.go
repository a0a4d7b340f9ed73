package address

// Networks tells the set which kernel device each of OpenWrt's networks is on,
// "" for one that has none. unknown says why that is not known; devices that
// were known before stand then.
func (s *Set) Networks(devices map[string]string, unknown error) {
	for _, src := range s.sources {
		if src.Network == "" {
			continue
		}
		device, known := devices[src.Network]
		switch {
		case device != "":
			src.Interface, src.absent = device, ""
		case unknown != nil:
			src.absent = "network " + src.Network + ": " + unknown.Error()
		case known:
			src.Interface, src.absent = "", "network "+src.Network+" is down"
		default:
			src.Interface, src.absent = "", "OpenWrt has no network "+src.Network
		}
	}
}

// untold says that OpenWrt has not answered yet.
func (s *source) untold() bool { return s.Network != "" && s.Interface == "" && s.absent == "" }

// noDevice says why a source with a network has no device; "" if it has one,
// or needs none.
func (s *source) noDevice() string {
	switch {
	case s.Network == "" || s.Interface != "":
		return ""
	case s.untold():
		return "OpenWrt has not told yet which device network " + s.Network + " is on"
	}
	return s.absent
}
