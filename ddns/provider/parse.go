package provider

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// parseDefinition reads a catalogue file. Each error is "PATH:LINE: message".
func parseDefinition(name, path string, text []byte) (*Definition, []error) {
	def := &Definition{Name: name, Path: path}
	meta, err := toml.Decode(string(text), def)
	if err != nil {
		return nil, []error{decodeProblem(path, err)}
	}
	var errs []error
	for _, key := range meta.Undecoded() {
		errs = append(errs, config.Problem{
			Path: path, Line: lineOf(string(text), key),
			Message: fmt.Sprintf("unknown key %q%s", key.String(), suggestion(key)),
		})
	}
	for _, f := range def.compile() {
		line, key := lineOfStep(string(text), f.Key)
		errs = append(errs, config.Problem{Path: path, Line: line, Message: key + ": " + f.Message})
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return def, nil
}

func decodeProblem(path string, err error) error {
	p := config.Problem{Path: path, Message: err.Error()}
	var pe toml.ParseError
	if errors.As(err, &pe) {
		p.Line, p.Message = pe.Position.Line, pe.Message
		if p.Message == "" { // a value that its type refused
			p.Message = err.Error()
		}
		if pe.LastKey != "" && !strings.Contains(p.Message, pe.LastKey) {
			p.Message = pe.LastKey + ": " + p.Message
		}
	}
	// Values of the wrong type have their line in the text alone.
	if place, ok := strings.CutPrefix(p.Message, "toml: line "); ok && p.Line == 0 {
		place, what, _ := strings.Cut(place, "\"): ")
		line, key, _ := strings.Cut(place, " (last key \"")
		if n, err := strconv.Atoi(line); err == nil {
			p.Line, p.Message = n, key+": "+what
		}
	}
	p.Message = strings.ReplaceAll(p.Message, "\n", " ")
	return p
}

// schemaKeys are the last parts of all keys, for suggestions.
var schemaKeys = strings.Fields(`title family docs notes url request remove hosts limits record dns field reply
	words sample example missing ipv4 ipv6 both method auth username password user_agent headers content_type
	body by_connection list maximum zone apex wildcard families min_interval server_error_wait ttl min_ttl creates body_both web_page
	cname unverifiable delay nameservers zones key label help secret required default also options updated
	unchanged badauth abuse badagent paid-feature wrong-owner notfqdn nohost invalid-ip badrequest toomany
	servererror account say config hostname shows action hostnames other_ipv4 other_ipv6 exchange request_headers
	request_body status reply_headers outcome wait
	sign with id secret scope text when else step name action unless walk plain content_type reads missing again
	every pick optional records pages lasts done address other next first items size cache forget_on message
	target published at then warning lines`)

func suggestion(key toml.Key) string {
	if near := config.Nearest(key[len(key)-1], schemaKeys); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// lineOfStep is lineOf for keys such as "step[2].url" too: the third step's.
func lineOfStep(text, key string) (line int, plain string) {
	index, rest, ok := strings.Cut(strings.TrimPrefix(key, "step["), "].")
	n, err := strconv.Atoi(index)
	if !ok || err != nil || !strings.HasPrefix(key, "step[") {
		return lineOf(text, strings.Split(key, ".")), key
	}
	plain = "step." + rest
	before, after := 0, text
	for at := 0; ; {
		i := strings.Index(text[at:], "[[step]]")
		if i < 0 {
			return lineOf(text, []string{"step"}), plain
		}
		at += i
		if before, after = strings.Count(text[:at], "\n"), text[at:]; n == 0 {
			break
		}
		n--
		at++
	}
	if end := strings.Index(after[1:], "\n[["); end >= 0 {
		after = after[:end+1]
	}
	return before + lineOf(after, strings.Split(plain, ".")), plain
}

// lineOf finds the line, from 1, where key is set: as "key =" under the header
// of its table, else that header, else 1. It reads TOML as people write it;
// where that is not enough, the line is merely near.
func lineOf(text string, key []string) int {
	best, depth := 1, 0
	table := ""
	n := 0
	for _, line := range strings.Split(text, "\n") {
		n++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			table = strings.Trim(strings.TrimRight(strings.SplitN(line, "#", 2)[0], " \t"), "[] ")
			if d := strings.Count(table, ".") + 1; d > depth && hasPrefix(key, strings.Split(table, ".")) {
				best, depth = n, d
			}
			continue
		}
		name, _, found := strings.Cut(line, "=")
		if !found || strings.HasPrefix(line, "#") {
			continue
		}
		full := strings.Trim(strings.TrimSpace(name), `"'`)
		if table != "" {
			full = table + "." + full
		}
		path := strings.Split(full, ".")
		if len(path) > depth && hasPrefix(key, path) {
			best, depth = n, len(path)
		}
	}
	return best
}

func hasPrefix(key, path []string) bool {
	if len(path) > len(key) {
		return false
	}
	for i := range path {
		if path[i] != key[i] {
			return false
		}
	}
	return true
}
