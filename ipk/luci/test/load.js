'use strict';
// Loads a module of the page as LuCI does: its text is the body of a function that gets what it requires, and _() for strings.
// WANBEACON_VIEWS: the scripts as they are packed, elsewhere.
const fs = require('node:fs');
const path = require('node:path');

const views = path.join(__dirname, '../htdocs/luci-static/resources/view');

// LuCI's own, as far as the modules use it.
String.prototype.format = function(...args) {
	return this.replace(/%[sdh%]/g, (spec) => {
		if (spec == '%%')
			return '%';
		const v = args.shift();
		if (spec == '%d')
			return String(Math.trunc(+v) || 0);
		return spec == '%h' ? String(v).replace(/[<>&"']/g, (c) => '&#' + c.charCodeAt(0) + ';') : String(v);
	});
};

const packed = process.env.WANBEACON_VIEWS ?? path.join(views, 'wanbeacon');

exports.views = views;
exports.scripts = () => fs.readdirSync(packed).filter((n) => n.endsWith('.js')).map((n) => n.slice(0, -3));
exports.text = (name) => fs.readFileSync(path.join(packed, name + '.js'), 'utf8');
exports.load = (name) => {
	const baseclass = { extend: (members) => members };
	return new Function('baseclass', '_', exports.text(name))(baseclass, (s) => s);
};
