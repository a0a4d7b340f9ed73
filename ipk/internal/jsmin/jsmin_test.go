package jsmin

import "testing"

func TestStrip(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing":               {"", ""},
		"indentation":           {"\tif (a) {\n\t\tb();  \n\n\t}\n", "if(a){b();}\n"},
		"line comments":         {"// one\na(); // two\nb();", "a();\nb();"},
		"block comments":        {"/* one */a/**/b/* x\ny */c", "a b\nc"},
		"strings":               {`a('// no', "/* no */", 'it\'s  ok');` + "\n", `a('// no',"/* no */",'it\'s  ok');` + "\n"},
		"a string on two lines": {"a = 'x\\\n  y';", "a='x\\\n  y';"},
		"templates":             {"  a = `x\n   // no ${ b + `  ${c} ` /* gone */ }  y`;", "a=`x\n   // no ${b+`  ${c} `}  y`;"},
		"braces in a template":  {"a = `${ {b: {}} }`; // c", "a=`${{b:{}}}`;"},
		"regular expressions":   {"a = /['\"`/*]\\//g; // b\nreturn /x'/.test(c)", "a= /['\"`/*]\\//g;\nreturn /x'/.test(c)"},
		"division":              {"a = b / c; // '\nd = (e) / f / g;", "a=b / c;\nd=(e) / f / g;"},
		"a name like a keyword": {"a = my_return / 2; // '/\n", "a=my_return / 2;\n"},
		"names stay apart":      {"return a  in b; typeof 'x'; $ $; 1 .x", "return a in b;typeof'x';$ $;1 .x"},
		"signs stay apart":      {"a + +b - -c; a++ + b; a - + b", "a+ +b- -c;a++ +b;a-+b"},
		"no comment is made":    {"a < ! --b; a / /b/.c; a <\n!--b", "a< !--b;a / /b/.c;a< !--b"},
		"a list on lines":       {"f(\n\ta,\n\t{ b: 1\n\t}\n)\n", "f(a,{b:1})\n"},
		"a choice on lines":     {"a = b\n\t? c\n\t: d &&\n\te", "a=b?c:d&&e"},
		"arrows and spreads":    {"const f = (...a) =>\n\t[ ...a ];", "const f=(...a)=>[...a];"},
		"line ends stay":        {"return\na\n++\nb\n[c]\n(d)\n-e\n/f/g", "return\na\n++\nb\n[c]\n(d)\n-e\n/f/g"},
		"a block's end stays":   {"a = () => {\n}\nb()", "a=()=>{}\nb()"},
		"directives":            {"'use strict';\r\n'require view';\r\n", "'use strict';\n'require view';\n"},
		"other scripts":         {"  a = '发布'; // 发布\n", "a='发布';\n"},
	} {
		got, err := Strip(c.in)
		if err != nil || got != c.want {
			t.Errorf("%s:\ngot  %q\nwant %q (%v)", name, got, c.want, err)
		}
		if again, err := Strip(got); err != nil || again != got {
			t.Errorf("%s: a second time it becomes %q (%v)", name, again, err)
		}
	}
}

func TestBrokenScripts(t *testing.T) {
	for in, want := range map[string]error{
		"a = 'b\n":   errString,
		"a = /b\n":   errRegexp,
		"a = `b":     errLiteral,
		"a = `${b":   errLiteral,
		"a = `${b}":  errLiteral,
		"a /* b":     errComment,
		"a = \"b\\":  errString,
		"a = `${'b}": errString,
	} {
		if _, err := Strip(in); err != want {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

func FuzzStrip(f *testing.F) {
	f.Add("a = `x ${b} y`; // c\n/* d */ e = /f/;")
	f.Add("'use strict';\n\treturn a / b;\n")
	f.Fuzz(func(t *testing.T, in string) {
		out, err := Strip(in)
		if err != nil {
			return
		}
		if len(out) > len(in)+1 {
			t.Errorf("%q became longer: %q", in, out)
		}
		if again, err := Strip(out); err != nil || again != out {
			t.Errorf("%q became %q, and that %q (%v)", in, out, again, err)
		}
	})
}
