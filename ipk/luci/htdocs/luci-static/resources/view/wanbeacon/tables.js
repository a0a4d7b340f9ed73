'use strict';
'require baseclass';

/*
 * The configuration as a form has it, and back: values in, values out, so that test/tables.test.js can run all of it in node.
 * Nothing here is judged; the daemon does that.
 *
 *   toForm(reply)           `get_config` as the sections of a form.JSONMap
 *   diff(reply, sections)   what of them changed, as the `tables` of `set_config`
 *   rebase(was, now, tables) the same for a file that has become another
 *   place(sections, key)    which section and option an error of `set_config` is about
 */

/* Stands in a form for a secret that is stored and never leaves the router. */
const STORED = '\u2022'.repeat(8);

const LISTS = {
	record: [ 'families', 'on_change' ], alias: [ 'targets' ], source: [ 'command' ],
	provider: [], daemon: [], verify: [ 'roots' ], notify: [ 'command' ]
};
/*
 * Lists that the form shows as one text: "ipv4 ipv6", and a program with its arguments, one a line, as these may be the same
 * twice, which a list of LuCI's loses.
 */
const JOINED = { families: ' ', on_change: '\n', command: '\n' };
const BOOLEANS = {
	record: [ 'enabled', 'all_sources', 'remove_on_exit' ], alias: [], source: [ 'allow_private', 'insecure_http' ],
	provider: [ 'insecure_http' ], daemon: [], verify: [ 'enabled' ], notify: []
};
const SINGLE = [ 'daemon', 'verify', 'notify' ];

function isStored(v) {
	return v !== null && typeof(v) == 'object' && !Array.isArray(v) && v.set === true;
}

function shown(type, key, v) {
	if (isStored(v))
		return STORED;
	if (Array.isArray(v))
		return JOINED[key] && LISTS[type].indexOf(key) >= 0 ? v.join(JOINED[key]) : v.map(String);
	return v;
}

function section(type, ref, name, table) {
	const s = { '.name': ref.replace(/[^A-Za-z0-9_]/g, '_'), _ref: ref };
	if (name != null)
		s._name = name;
	for (const key in table)
		s[key] = shown(type, key, table[key]);
	return s;
}

/*
 * The reply of `get_config` as the data of a form.JSONMap. Each section has _ref, its place in the file (none: new), and in
 * accounts and sources _name. Records hold the section's name of their account and sources rather than the account's, so that
 * a new name needs no change elsewhere.
 */
function toForm(reply) {
	const c = reply.config;
	const data = { record: [], provider: [], alias: [], source: [] };
	const ids = { provider: {}, source: {} };

	for (const type of [ 'provider', 'source' ]) {
		let n = 0;
		for (const name of Object.keys(c[type])) {
			const s = section(type, type + '.' + name, name, c[type][name]);
			s['.name'] = type + '_' + n++;
			ids[type][name] = s['.name'];
			data[type].push(s);
		}
	}
	c.record.forEach((r, i) => {
		const s = section('record', 'record[' + i + ']', null, r);
		for (const type of [ 'provider', 'source' ])
			if (Array.isArray(s[type]))
				s[type] = s[type].map((name) => ids[type][name] ?? name);
			else if (s[type] != null)
				s[type] = ids[type][s[type]] ?? s[type];
		s['.name'] = 'record_' + i;
		data.record.push(s);
	});
	c.alias.forEach((a, i) => {
		const s = section('alias', 'alias[' + i + ']', null, a);
		if (ids.provider[s.provider] != null)
			s.provider = ids.provider[s.provider];
		s['.name'] = 'alias_' + i;
		data.alias.push(s);
	});
	for (const type of SINGLE)
		data[type] = section(type, type, null, c[type]);
	return data;
}

function typed(type, key, v, was) {
	if (v === STORED)
		return { set: true };
	/* of lines, the last may be empty */
	if (LISTS[type].indexOf(key) >= 0)
		return Array.isArray(v) ? v : JOINED[key] == '\n' ? v.replace(/\r/g, '').replace(/\n+$/, '').split('\n') : String(v).split(/\s+/).filter((x) => x);
	/* one source is a text, unless the file has it as a list */
	if (Array.isArray(v))
		return v.length == 1 && !Array.isArray(was) ? v[0] : v;
	if (BOOLEANS[type].indexOf(key) >= 0 || typeof(was) == 'boolean')
		return v === true || v === 'true';
	if (typeof(was) == 'number' && /^\d+$/.test(v))
		return +v;
	return String(v);
}

function same(a, b) {
	if (isStored(a) || isStored(b))
		return isStored(a) && isStored(b);
	return JSON.stringify(a) === JSON.stringify(b);
}

/*
 * What changed: [{table, set, rename, remove}], the `tables` of `set_config`. reply is that of `get_config`; sections the
 * form's, in their order. A key that says in the file what holds anyway stays there untouched.
 */
function diff(reply, sections) {
	const config = reply.config, defaults = reply.defaults ?? {};
	const names = {}, kept = {}, tables = [];

	/* a reference to a table that was taken out keeps its name, for the daemon to judge */
	for (const type of [ 'provider', 'source' ])
		Object.keys(config[type]).forEach((name, n) => { names[type + '_' + n] = name; });
	for (const s of sections) {
		if (s._name != null)
			names[s['.name']] = s._name;
		if (s._ref)
			kept[s._ref] = true;
	}
	const original = (type, ref) => {
		if (SINGLE.indexOf(type) >= 0)
			return config[type];
		const m = /^\w+\[(\d+)\]$/.exec(ref);
		return m ? config[type][+m[1]] : config[type][ref.slice(type.length + 1)];
	};
	const refs = [];
	for (const type of [ 'record', 'alias' ])
		config[type].forEach((r, i) => refs.push(type + '[' + i + ']'));
	for (const type of [ 'provider', 'source' ])
		Object.keys(config[type]).forEach((n) => refs.push(type + '.' + n));
	for (const ref of refs)
		if (!kept[ref])
			tables.push({ table: ref, remove: true });

	for (const s of sections) {
		const type = s['.type'];
		const was = s._ref ? (original(type, s._ref) ?? {}) : {};
		const is = {};

		for (const key in s) {
			if (key.charAt(0) == '.' || key.charAt(0) == '_' || s[key] == null || s[key] === '')
				continue;
			let v = s[key];
			if (key == 'provider' || key == 'source')
				v = Array.isArray(v) ? v.map((x) => names[x] ?? x) : (names[v] ?? v);
			is[key] = JOINED[key] && was[key] != null && v === shown(type, key, was[key]) ? was[key] : typed(type, key, v, was[key]);
		}
		/* "type" is needless where the table's name says it; what the file has stays */
		if (type == 'provider' && is.type === s._name && was.type == null)
			delete is.type;

		const set = {};
		for (const key in is)
			if (!same(is[key], was[key]))
				set[key] = is[key];
		for (const key in was)
			if (!(key in is) && !(s._ref && defaults[type] && same(was[key], defaults[type][key])))
				set[key] = null;
		/* a form leaves out what is the default; that is a change only if the file says something else */
		for (const key in set)
			if (was[key] === undefined && defaults[type] && same(set[key], defaults[type][key]))
				delete set[key];

		const named = (type == 'provider' || type == 'source');
		if (!s._ref) {
			tables.push({ table: named ? type + '.' + s._name : type, set: set });
			continue;
		}
		const change = { table: s._ref };
		const old = s._ref.slice(type.length + 1);
		/* an account without a type is of the type that its name says, until it has another name */
		if (type == 'provider' && s._name !== old && was.type == null && set.type == null)
			set.type = old;
		if (Object.keys(set).length)
			change.set = set;
		if (named && s._name !== old)
			change.rename = s._name;
		if (change.set || change.rename)
			tables.push(change);
	}

	return tables;
}

/*
 * Where an error of `set_config` belongs: {sid, option}, either null. key is such as "record[1].families[0]", with the numbers
 * of the file as it would be: kept ones in their order, then the new ones.
 */
function place(sections, key) {
	const m = /^(\w+)(?:\[(\d+)\])?(.*)$/.exec(key ?? '');
	if (!m)
		return { sid: null, option: null };
	const type = m[1];
	const option = (rest) => /^\.?([A-Za-z0-9_-]+)/.exec(rest)?.[1] ?? null;

	if (SINGLE.indexOf(type) >= 0)
		return { sid: type, option: option(m[3]) };
	const own = sections.filter((s) => s['.type'] == type);
	if (m[2] != null) {
		const order = own.filter((s) => s._ref).concat(own.filter((s) => !s._ref));
		return { sid: order[+m[2]]?.['.name'] ?? null, option: option(m[3]) };
	}
	/* names may have dots, so the longest that fits; odd ones are in quotes */
	const rest = m[3].replace(/^\./, '').replace(/^"(.*?[^\\])"/, (q) => q.slice(1, -1).replace(/\\(.)/g, '$1'));
	let best = null;
	for (const s of own)
		if ((rest == s._name || rest.indexOf(s._name + '.') == 0) && (!best || s._name.length > best._name.length))
			best = s;
	return best ? { sid: best['.name'], option: option(rest.slice(best._name.length)) } : { sid: null, option: null };
}

/*
 * The same changes for a file that has become another meanwhile: {tables, lost}. Records and aliases are found again by their
 * name; lost are the names of those that are gone.
 */
function rebase(was, now, changed) {
	const lost = [], out = [];
	for (const t of changed) {
		const m = /^(record|alias)\[(\d+)\]$/.exec(t.table);
		const named = /^(provider|source)\.(.*)$/.exec(t.table);
		let table = t.table;
		if (m) {
			const old = was[m[1]][+m[2]];
			const n = now[m[1]].findIndex((x) => x.hostname === old.hostname && x.provider === old.provider);
			table = n < 0 ? null : m[1] + '[' + n + ']';
			if (n < 0 && !t.remove)
				lost.push(old.hostname);
		}
		else if (named && was[named[1]][named[2]] && !now[named[1]][named[2]]) {
			table = null;
			if (!t.remove)
				lost.push(named[2]);
		}
		if (table)
			out.push(Object.assign({}, t, { table: table }));
	}
	return { tables: out, lost: lost };
}

return baseclass.extend({ rebase: rebase, STORED: STORED, isStored: isStored, toForm: toForm, diff: diff, place: place });
