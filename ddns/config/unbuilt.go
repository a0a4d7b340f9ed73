package config

// What the schema has and the daemon cannot do yet. It is decoded and checked
// like everything else, and then refused here, never ignored. Whoever builds
// one of these deletes its line.
var unbuiltMethods = []string{"host"}

const notYet = "not yet supported in this version; remove it"

func (r *reader) refuseUnbuilt(c *Config) {
	for _, s := range c.Sources {
		at := joinPath("source", s.Name)
		if contains(unbuiltMethods, s.Method) {
			r.fail(joinPath(at, "method"), "method = \"%s\" is %s, or use \"auto\"", s.Method, notYet)
		}
	}
}
