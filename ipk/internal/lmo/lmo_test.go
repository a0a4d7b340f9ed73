package lmo

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
)

const sample = `# a comment
msgid ""
msgstr ""
"Language: de\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#: view.js:12
msgid "Update now"
msgstr "Jetzt aktualisieren"

msgctxt "button"
msgid "Pause"
msgstr "Anhalten"

msgid "Published <em>%s</em> at \"%s\""
msgstr ""
"Veröffentlicht <em>%s</em> "
"bei \"%s\"\n"

msgid "one server"
msgid_plural "%d servers"
msgstr[0] "ein Server"
msgstr[1] "%d Server"

#, fuzzy
msgid "guessed"
msgstr "geraten"

msgid "not yet"
msgstr ""

msgid "OK"
msgstr "OK"

#~ msgid "gone"
#~ msgstr "weg"
`

// byPo2lmo is what LuCI's po2lmo makes of sample without its fuzzy message.
const byPo2lmo = `
bnBsdXJhbHM9MjsgcGx1cmFsPShuICE9IDEpO0pldHp0IGFrdHVhbGlzaWVyZW4AQW5oYWx0ZW5W
ZXLDtmZmZW50bGljaHQgPGVtPiVzPC9lbT4gYmVpICIlcyJcbgAAZWluIFNlcnZlcgAAJWQgU2Vy
dmVyAAAAAAAAAAAAAAAAAAAAAAAAHAjwKDUAAAABAAAAHAAAABM1DVCbAAAAAgAAAGAAAAAKZ06j
RAAAAAIAAABsAAAACZvX8aUAAAABAAAAOAAAACbGE2EIAAAAAQAAADAAAAAIAAAAeA==
`

func TestSameAsPo2lmo(t *testing.T) {
	got, n, err := Convert(sample)
	if err != nil || n != 5 {
		t.Fatalf("%d strings, %v", n, err)
	}
	want, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(byPo2lmo, "\n", ""))
	if err != nil || string(got) != string(want) {
		t.Errorf("got  %q\nwant %q (%v)", got, want, err)
	}
}

// lookup finds a string as LuCI does.
func lookup(lmo []byte, key string) string {
	at := binary.BigEndian.Uint32(lmo[len(lmo)-4:])
	for ; at+16 <= uint32(len(lmo)-4); at += 16 {
		if e := lmo[at:]; binary.BigEndian.Uint32(e) == hash(key) {
			off, n := binary.BigEndian.Uint32(e[8:]), binary.BigEndian.Uint32(e[12:])
			return string(lmo[off : off+n])
		}
	}
	return ""
}

func TestStringsAreFound(t *testing.T) {
	lmo, _, err := Convert(sample)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"Update now":                    "Jetzt aktualisieren",
		"button\x01Pause":               "Anhalten",
		"Pause":                         "",
		`Published <em>%s</em> at "%s"`: "Veröffentlicht <em>%s</em> bei \"%s\"\\n",
		"one server\x020":               "ein Server",
		"one server\x021":               "%d Server",
		"guessed":                       "",
		"not yet":                       "",
		"gone":                          "",
	} {
		if got := lookup(lmo, key); got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
}

func TestNothingTranslated(t *testing.T) {
	for name, po := range map[string]string{
		"nothing":     "",
		"header only": "msgid \"\"\nmsgstr \"Language: de\\n\"\n",
		"empty":       "msgid \"a\"\nmsgstr \"\"\n",
	} {
		if lmo, n, err := Convert(po); lmo != nil || n != 0 || err != nil {
			t.Errorf("%s: %d bytes, %d, %v", name, len(lmo), n, err)
		}
	}
}

func TestErrorsHaveLines(t *testing.T) {
	for po, want := range map[string]string{
		"msgid \"a\nmsgstr \"b\"\n":      "line 1: not a quoted string",
		"\n\"a\"\n":                      "line 2: a string that belongs to nothing",
		"msgstr \"a\"\n":                 "line 1: msgstr before msgid",
		"msgid \"a\"\n":                  "line 1: a message without msgstr",
		"msgid \"a\"\nmsgword \"b\"\n":   "line 2: \"msgword\" is not known here",
		"msgid \"a\"\nmsgstr[0] \"b\"\n": "line 2: \"msgstr[0]\" is not known here",
		"msgid \"a\"\nmsgid_plural \"b\"\nmsgstr[10] \"c\"\n":    "line 3: \"msgstr[10]\" is not known here",
		"msgid \"a\"\nmsgstr \"b\"\nmsgid \"a\"\nmsgstr \"c\"\n": "line 3: the same string as in line 1",
		"msgid \"a\"b\"\nmsgstr \"b\"\n":                         "line 1: a quote inside a string",
	} {
		if _, _, err := Convert(po); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", po, err, want)
		}
	}
}

func FuzzConvert(f *testing.F) {
	f.Add(sample)
	f.Add("msgid \"a\"\nmsgstr \"b\"\n")
	f.Fuzz(func(t *testing.T, po string) {
		lmo, n, err := Convert(po)
		if err == nil && (n > 0) != (lmo != nil) {
			t.Errorf("%d strings, %d bytes", n, len(lmo))
		}
	})
}
