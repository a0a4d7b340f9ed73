'use strict';
const test = require('node:test');
const assert = require('node:assert');
const tables = require('./load').load('tables');

const reply = () => ({
	revision: 'r1',
	config: {
		daemon: { log_level: 'debug' },
		source: { wan: { allow_private: true }, lte: { interface: 'wwan0' } },
		provider: {
			noip: { username: 'abc', password: { set: true } },
			'my.zone': { type: 'cloudflare', token: { set: true }, proxied: false }
		},
		record: [
			{ hostname: 'a.example', provider: 'noip' },
			{ hostname: 'b.example', provider: 'my.zone', source: 'lte', families: [ 'ipv4', 'ipv6' ], enabled: true },
			{ hostname: 'c.example', provider: 'gone', on_change: [ '/bin/x', 'a b' ] }
		],
		alias: [ { hostname: 'w.example', provider: 'my.zone', targets: [ 'a.example', 'b.example' ] } ],
		verify: {}, notify: { url: { set: true } }
	},
	defaults: {
		daemon: { log_level: 'info' }, source: { method: 'auto', allow_private: false }, provider: { insecure_http: false },
		record: { source: 'wan', families: [ 'ipv4' ], enabled: true, remove_on_exit: false },
		alias: { fail_after: '5m' }, verify: { enabled: true, interval: '10m' }, notify: {}
	}
});

/* The sections as form.JSONMap holds them: one list, each with its type. */
function sections(data) {
	const out = [];
	for (const type in data)
		for (const s of [].concat(data[type]))
			out.push(Object.assign(s, { '.type': type, '.name': s['.name'], '.anonymous': false }));
	return out;
}
const form = (r) => sections(tables.toForm(r));
const byTable = (a, b) => a.table < b.table ? -1 : 1;
const of = (all, ref) => all.find((s) => s._ref == ref);

test('what nobody touched is no change', () => {
	const r = reply();
	assert.deepEqual(tables.diff(r, form(r)), []);
});

test('what a form does to untouched values is no change either', () => {
	const r = reply(), all = form(r);
	/* LuCI makes text of everything, and leaves out a flag that has its default */
	for (const s of all)
		for (const key in s)
			if (typeof(s[key]) == 'boolean' && key.charAt(0) != '.')
				s[key] = String(s[key]);
	delete of(all, 'record[1]').enabled;
	of(all, 'record[0]').families = 'ipv4';
	of(all, 'source.lte').method = 'auto';
	assert.deepEqual(tables.diff(r, all), []);
});

test('only changed keys are sent, with their types', () => {
	const r = reply(), all = form(r);
	Object.assign(of(all, 'record[0]'), { families: 'ipv4 ipv6', enabled: 'false', ttl: '60s' });
	Object.assign(of(all, 'provider.my.zone'), { proxied: 'true' });
	Object.assign(of(all, 'source.wan'), { allow_private: undefined });
	delete of(all, 'record[2]').on_change;
	of(all, 'daemon').log_level = 'info';
	assert.deepEqual(tables.diff(r, all).sort(byTable), [
		{ table: 'daemon', set: { log_level: 'info' } },
		{ table: 'provider.my.zone', set: { proxied: true } },
		{ table: 'record[0]', set: { families: [ 'ipv4', 'ipv6' ], enabled: false, ttl: '60s' } },
		{ table: 'record[2]', set: { on_change: null } },
		{ table: 'source.wan', set: { allow_private: null } }
	]);
});

test('several sources: in order, by section, renamed with them; one alone is a text', () => {
	const r = reply(), all = form(r);
	r.config.record[1].source = [ 'lte', 'wan' ];
	const list = form(r);
	assert.deepEqual(of(list, 'record[1]').source, [ 'source_1', 'source_0' ]);
	assert.deepEqual(tables.diff(r, list), []);
	of(list, 'record[1]').source.reverse();
	assert.deepEqual(tables.diff(r, list), [ { table: 'record[1]', set: { source: [ 'wan', 'lte' ] } } ]);
	of(list, 'source.lte')._name = 'mobile';
	of(list, 'record[1]').source = [ 'source_1' ];
	assert.deepEqual(tables.diff(r, list).sort(byTable), [
		{ table: 'record[1]', set: { source: [ 'mobile' ] } }, { table: 'source.lte', rename: 'mobile' } ]);
	of(all, 'record[0]').source = [ 'source_0' ]; /* wan, as it is anyway */
	of(all, 'record[1]').source = [ 'source_1' ];
	of(all, 'record[2]').source = [ 'source_1', 'gone' ];
	assert.deepEqual(tables.diff(reply(), all), [ { table: 'record[2]', set: { source: [ 'lte', 'gone' ] } } ]);
});

test('arguments of a program: one a line, the same ones twice, strange ones untouched', () => {
	const r = reply();
	r.config.notify.command = [ '/bin/x', '-a', '1', '-b', '1', '' ];
	r.config.source.lte.command = [ '/bin/sh', '-c', 'a\nb' ];
	const all = form(r);
	assert.equal(of(all, 'record[2]').on_change, '/bin/x\na b');
	assert.deepEqual(tables.diff(r, all), []);
	of(all, 'notify').command = '/bin/y\r\n\r\n1\r\n1\r\n\r\n';
	assert.deepEqual(tables.diff(r, all), [ { table: 'notify', set: { command: [ '/bin/y', '', '1', '1' ] } } ]);
});

test('a secret is kept, replaced or taken out, and never sent back', () => {
	const r = reply(), all = form(r), noip = of(all, 'provider.noip');
	assert.equal(noip.password, tables.STORED);
	noip.password = 'new';
	assert.deepEqual(tables.diff(r, all), [ { table: 'provider.noip', set: { password: 'new' } } ]);
	delete noip.password;
	noip.password_file = '/etc/x';
	assert.deepEqual(tables.diff(r, all), [ { table: 'provider.noip', set: { password_file: '/etc/x', password: null } } ]);
	assert.ok(!JSON.stringify(tables.diff(r, form(r))).includes(tables.STORED));
});

test('a renamed account takes its names and aliases along', () => {
	const r = reply(), all = form(r);
	of(all, 'provider.my.zone')._name = 'zone';
	assert.deepEqual(tables.diff(r, all).sort(byTable), [
		{ table: 'alias[0]', set: { provider: 'zone' } },
		{ table: 'provider.my.zone', rename: 'zone' },
		{ table: 'record[1]', set: { provider: 'zone' } }
	]);
});

test('a renamed account whose name was its type says the type', () => {
	const r = reply(), all = form(r);
	of(all, 'provider.noip')._name = 'home';
	assert.deepEqual(tables.diff(r, all).sort(byTable), [
		{ table: 'provider.noip', set: { type: 'noip' }, rename: 'home' },
		{ table: 'record[0]', set: { provider: 'home' } }
	]);
});

test('added and removed tables', () => {
	const r = reply(), all = form(r).filter((s) => s._ref != 'record[0]' && s._ref != 'source.lte');
	all.push({ '.type': 'provider', '.name': 'new_provider', _name: 'duckdns', type: 'duckdns', token: 't' });
	all.push({ '.type': 'record', '.name': 'new_record', hostname: 'n.example', provider: 'new_provider', source: 'wan', families: 'ipv4', enabled: 'true' });
	assert.deepEqual(tables.diff(r, all), [
		{ table: 'record[0]', remove: true },
		{ table: 'source.lte', remove: true },
		{ table: 'provider.duckdns', set: { token: 't' } },
		{ table: 'record', set: { hostname: 'n.example', provider: 'duckdns' } }
	]);
});

test('a reference whose table was taken out stays as it was, for the daemon to judge', () => {
	const r = reply(), all = form(r).filter((s) => s._ref != 'provider.my.zone');
	assert.deepEqual(tables.diff(r, all), [ { table: 'provider.my.zone', remove: true } ]);
});

test('errors find their field', () => {
	const all = form(reply()).filter((s) => s._ref != 'record[0]');
	all.push({ '.type': 'record', '.name': 'new_record', hostname: 'n.example' }, { '.type': 'provider', '.name': 'odd', _name: 'a "b"' });
	const cases = [
		[ 'record[0].hostname', 'record_1', 'hostname' ], /* of the file as it would be: the first is gone */
		[ 'record[2].families[1]', 'new_record', 'families' ],
		[ 'record[2]', 'new_record', null ],
		[ 'record[9].hostname', null, 'hostname' ],
		[ 'provider.noip.username', 'provider_0', 'username' ],
		[ 'provider.my.zone.token', 'provider_1', 'token' ],
		[ 'provider.my.zone', 'provider_1', null ],
		[ 'provider."my.zone"', 'provider_1', null ], [ 'provider."my.zone".token', 'provider_1', 'token' ],
		[ 'provider."a \\"b\\""', 'odd', null ],
		[ 'daemon.timeout', 'daemon', 'timeout' ],
		[ 'verify.roots[0]', 'verify', 'roots' ],
		[ 'notify', 'notify', null ],
		[ '', null, null ], [ undefined, null, null ]
	];
	for (const [ key, sid, option ] of cases)
		assert.deepEqual(tables.place(all, key), { sid, option }, String(key));
});

test('changes go on top of a file that has become another', () => {
	const was = reply().config, now = reply().config;
	now.record.shift();
	delete now.provider.noip;
	const changed = [
		{ table: 'record[1]', set: { enabled: false } }, { table: 'record[0]', remove: true }, { table: 'provider.my.zone', set: { token: 'x' } },
		{ table: 'record', set: { hostname: 'n.example' } }, { table: 'provider.new', set: {} }
	];
	assert.deepEqual(tables.rebase(was, now, changed), { lost: [], tables: [
		{ table: 'record[0]', set: { enabled: false } }, { table: 'provider.my.zone', set: { token: 'x' } },
		{ table: 'record', set: { hostname: 'n.example' } }, { table: 'provider.new', set: {} } ] });
	assert.deepEqual(tables.rebase(was, now, [ { table: 'record[0]', set: { ttl: '1m' } }, { table: 'provider.noip', set: { username: 'z' } } ]).lost, [ 'a.example', 'noip' ]);
});
