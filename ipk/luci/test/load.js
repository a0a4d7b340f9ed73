'use strict';
// Loads a module of the page as LuCI does: its text is the body of a function that gets what it requires, and _() for strings.
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

exports.views = views;
exports.load = (name) => {
	const text = fs.readFileSync(path.join(views, 'wanbeacon', name + '.js'), 'utf8');
	const baseclass = { extend: (members) => members };
	return new Function('baseclass', '_', text)(baseclass, (s) => s);
};
