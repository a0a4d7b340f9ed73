'use strict';
// The translations against the strings of the page. UPDATE_POT=1 writes the template anew.
const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { views } = require('./load');

const po = path.join(__dirname, '../po');
const template = path.join(po, 'templates/wanbeacon.pot');
const menu = path.join(__dirname, '../root/usr/share/luci/menu.d/luci-app-wanbeacon.json');
const acl = path.join(__dirname, '../root/usr/share/rpcd/acl.d/luci-app-wanbeacon.json');
const sources = fs.readdirSync(path.join(views, 'wanbeacon')).sort().map((n) => path.join(views, 'wanbeacon', n))
	.concat(path.join(views, 'status/include/60_wanbeacon.js'));

const unquote = (s) => s.slice(1, -1).replace(/\\u([0-9a-f]{4})/gi, (m, c) => String.fromCharCode(parseInt(c, 16))).replace(/\\(.)/g, '$1');

/* Labels of fields that so many providers have are translated, too. */
const USUAL = 6;
const catalogue = path.join(__dirname, '../../../ddns/provider/catalogue');

function labels() {
	const count = new Map();
	for (const name of fs.readdirSync(catalogue).filter((n) => n.endsWith('.toml')))
		for (const m of fs.readFileSync(path.join(catalogue, name), 'utf8').matchAll(/^label = "(.*)"$/gm))
			count.set(m[1], (count.get(m[1]) ?? 0) + 1);
	return count;
}

/* Every _('…') of the page, the titles of the menu, and usual labels: Map of string to where. */
function strings() {
	const found = new Map();
	for (const file of sources) {
		const text = fs.readFileSync(file, 'utf8');
		for (const m of text.matchAll(/\b_\(\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s*\)/g))
			if (!found.has(unquote(m[1])))
				found.set(unquote(m[1]), path.basename(file));
		/* nothing else may be translated: it could not be found here */
		for (const m of text.matchAll(/\b_\(\s*([^'"\s)])/g))
			assert.fail(path.basename(file) + ': _(' + m[1] + ' is not a plain string');
	}
	for (const [ label, times ] of labels())
		if (times >= USUAL)
			found.set(label, 'catalogue');
	for (const item of Object.values(JSON.parse(fs.readFileSync(menu, 'utf8'))))
		found.set(item.title, path.basename(menu));
	for (const group of Object.values(JSON.parse(fs.readFileSync(acl, 'utf8'))))
		found.set(group.description, path.basename(acl));
	return found;
}

/* msgid → msgstr; one line each, as this project writes them, or continued. */
function read(file) {
	const out = new Map();
	let id = null, str = null, into = null;
	const end = () => { if (id) out.set(id, str); id = str = into = null; };
	for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
		const m = /^(msgid|msgstr)? ?("(?:[^"\\]|\\.)*")$/.exec(line);
		if (!m)
			end();
		else if (m[1] == 'msgid') { end(); id = unquote(m[2]); into = 'id'; }
		else if (m[1] == 'msgstr') { str = unquote(m[2]); into = 'str'; }
		else if (into == 'id') id += unquote(m[2]);
		else str += unquote(m[2]);
	}
	end();
	return out;
}

const quote = (s) => '"' + s.replace(/[\\"]/g, '\\$&') + '"';

test('the template has every string of the page', () => {
	const all = strings();
	if (process.env.UPDATE_POT)
		fs.writeFileSync(template, 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8"\n' + [ ...all ].map(([ s, where ]) =>
			'\n#: ' + where + '\nmsgid ' + quote(s) + '\nmsgstr ""\n').join(''));
	assert.deepEqual([ ...read(template).keys() ].sort(), [ ...all.keys() ].sort());
});

for (const lang of fs.readdirSync(po).filter((d) => d != 'templates'))
	test(lang + ' translates every string, with the same places for values', () => {
		const wanted = strings(), has = read(path.join(po, lang, 'wanbeacon.po'));
		for (const s of wanted.keys()) {
			assert.ok(has.get(s), 'not translated: ' + s);
			const places = (t) => (t.match(/%[sdh%]/g) ?? []).join();
			assert.equal(places(has.get(s)), places(s), s);
		}
		for (const s of has.keys())
			assert.ok(wanted.has(s), 'not in the page any more: ' + s);
	});
