package upstream

import "strings"

// element returns what stands within the first element of that name, whatever
// its prefix, and the text after it. It reads as much XML as routers' answers
// have: no entities of their own, no element within one of the same name.
func element(s, name string) (inner, rest string, ok bool) {
	for {
		tag, body, found := nextTag(s)
		if !found {
			return "", "", false
		}
		s = body
		if localName(tag) != name || strings.HasPrefix(tag, "/") {
			continue
		}
		if strings.HasSuffix(tag, "/") {
			return "", body, true
		}
		for at := body; ; {
			tag, after, found := nextTag(at)
			if !found {
				return "", "", false
			}
			if strings.HasPrefix(tag, "/") && localName(tag) == name {
				return body[:len(body)-len(after)-len(tag)-2], after, true
			}
			at = after
		}
	}
}

// nextTag returns what is between the next "<" and ">", comments passed over.
func nextTag(s string) (tag, rest string, ok bool) {
	for {
		at := strings.IndexByte(s, '<')
		if at < 0 {
			return "", "", false
		}
		s = s[at+1:]
		if comment, is := strings.CutPrefix(s, "!--"); is {
			if _, s, ok = strings.Cut(comment, "-->"); !ok {
				return "", "", false
			}
			continue
		}
		return strings.Cut(s, ">")
	}
}

// localName is a tag's name without "/", prefix and attributes.
func localName(tag string) string {
	tag = strings.Trim(tag, "/")
	if end := strings.IndexAny(tag, " \t\r\n/"); end >= 0 {
		tag = tag[:end]
	}
	return tag[strings.IndexByte(tag, ':')+1:]
}

// text is element's content as plain text; "" if there is none.
func text(s, name string) string {
	inner, _, _ := element(s, name)
	inner = strings.TrimSpace(inner)
	for _, e := range [...][2]string{{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", `"`}, {"&apos;", "'"}, {"&amp;", "&"}} {
		inner = strings.ReplaceAll(inner, e[0], e[1])
	}
	return inner
}
