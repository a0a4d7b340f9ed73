package config

// What the schema has and the daemon cannot do yet. It is decoded and checked
// like everything else, and then refused here, never ignored. Whoever builds
// one of these deletes its line.
var (
	unbuiltMethods    = []string{"upstream", "echo", "host"}
	unbuiltSourceKeys = []string{"network"}
	unbuiltTables     = []string{"alias", "notify", "verify"}
)

const notYet = "not yet supported in this version; remove it"

func (r *reader) refuseUnbuilt(c *Config, file *table) {
	for _, s := range c.Sources {
		at := joinPath("source", s.Name)
		if contains(unbuiltMethods, s.Method) {
			r.fail(at+".method", "method = \"%s\" is %s or use \"auto\"", s.Method, notYet)
		}
		for _, key := range unbuiltSourceKeys {
			if _, there := r.doc.find(joinPath(at, key)); there {
				r.fail(joinPath(at, key), "%s is %s", quote(key), notYet)
			}
		}
	}
	for _, name := range unbuiltTables {
		switch v := file.values[name].(type) {
		case []map[string]any:
			for i := range v {
				r.fail(elementPath(name, i), "[[%s]] is %s", name, notYet)
			}
		case map[string]any:
			t := &table{reader: r, path: name, values: v}
			for _, key := range t.keys() {
				if name == "verify" && key == "enabled" && v[key] == false {
					continue
				}
				r.fail(t.at(key), "%s in [%s] is %s", quote(key), name, notYet)
			}
		}
	}
}
