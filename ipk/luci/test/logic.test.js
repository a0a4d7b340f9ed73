'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { load, scripts, text } = require('./load');
const logic = load('logic');

const now = Date.parse('2026-11-25T12:00:00Z');
const at = (seconds) => new Date(now + seconds * 1000).toISOString();

test('spans are said as short as possible', () => {
	const cases = [ [ 0, '0 s' ], [ 59, '59 s' ], [ 60, '1 min' ], [ 89, '89 s' ], [ 90, '2 min' ], [ 3600, '60 min' ], [ 7200, '2 h' ], [ 172800, '2 days' ], [ -5, '0 s' ] ];
	for (const [ seconds, words ] of cases)
		assert.equal(logic.span(seconds), words);
});

test('a clock that is a little off never gives a past event in the future', () => {
	assert.equal(logic.ago(now + 1500, now), 'just now');
	assert.equal(logic.ago(now - 180000, now), '3 min ago');
	assert.equal(logic.until(now - 1000, now), 'now');
	assert.equal(logic.until(now + 720000, now), 'in 12 min');
});

test('each state has its colour and its words', () => {
	const base = { hostname: 'home.example.org', provider: 'noip', family: 'ipv4', error: null, error_class: null, last_change: null, next_attempt: null, verdict: null, verdict_note: null, delegation: [] };
	const published = { state: 'published', last_change: at(-180) };
	const cases = [
		[ { state: 'disabled' }, 'off', 'paused' ],
		[ { state: 'waiting', source: 'wan' }, 'busy', 'waiting for an IPv4 address on wan' ],
		[ { state: 'waiting', family: 'ipv6' }, 'busy', 'waiting for an IPv6 address' ],
		[ { state: 'updating' }, 'busy', 'is being sent to noip …' ],
		[ { state: 'pending', next_attempt: at(60) }, 'busy', 'to be sent in 1 min' ],
		[ { state: 'retrying', error_class: 'network', next_attempt: at(30) }, 'warn', 'no answer from the provider; next attempt in 30 s' ],
		[ { state: 'retrying' }, 'warn', 'failed' ],
		[ { state: 'blocked', error_class: 'badauth' }, 'bad', 'blocked: wrong user name, password or token' ],
		[ { state: 'blocked', error_class: 'brand-new' }, 'bad', 'blocked: refused (brand-new)' ],
		[ published, 'ok', 'published 3 min ago' ],
		[ { ...published, verdict: 'ok', delegation: [ 'a.', 'b.', 'c.', 'd.', 'e.' ] }, 'ok', 'published 3 min ago, seen by all 5 name servers' ],
		[ { ...published, verdict: 'ok' }, 'ok', 'published 3 min ago, seen by the name servers' ],
		[ { ...published, verdict: 'pending' }, 'busy', 'published 3 min ago, the name servers do not show it yet' ],
		[ { ...published, verdict: 'stale' }, 'warn', 'published 3 min ago, name servers still give an older address' ],
		[ { ...published, verdict: 'dark' }, 'bad', 'published 3 min ago, but the name does not resolve' ],
		[ { ...published, verdict: 'diverted' }, 'bad', 'published 3 min ago, but the name leads somewhere else' ],
		[ { ...published, verdict: 'unverifiable' }, 'ok', 'published 3 min ago, cannot be verified' ],
		[ { state: 'published' }, 'ok', 'published' ],
		[ { state: 'of-tomorrow' }, 'warn', 'of-tomorrow' ]
	];
	for (const [ r, tone, words ] of cases) {
		const d = logic.describe({ ...base, ...r }, now);
		assert.deepEqual([ d.tone, d.words ], [ tone, words ]);
	}
	/* what the words say already is not said again */
	const note = (verdict_note) => logic.describe({ ...base, ...published, verdict: 'pending', verdict_note }, now).detail;
	assert.deepEqual([ note('published just now'), note('ns1.example does not answer') ], [ null, 'ns1.example does not answer' ]);
});

test('both families of a name share a card, which has the worse colour', () => {
	const status = {
		sources: [ { name: 'lte', family: 'ipv6', address: null, note: 'no prefix' } ],
		records: [
			{ hostname: 'a.example', provider: 'p', family: 'ipv4', state: 'published' },
			{ hostname: 'b.example', provider: 'p', family: 'ipv4', state: 'disabled' },
			{ hostname: 'a.example', provider: 'p', family: 'ipv6', state: 'waiting' },
			{ hostname: 'a.example', provider: 'q', family: 'ipv4', state: 'blocked', error_class: 'nohost' }
		]
	};
	const config = { record: [ { hostname: 'a.example', provider: 'p', source: 'lte' } ] };
	const cards = logic.cards(status, config, now);
	assert.deepEqual(cards.map((c) => [ c.hostname, c.provider, c.lines.length, c.tone, c.paused, c.blocked ]), [
		[ 'a.example', 'p', 2, 'busy', false, false ], [ 'b.example', 'p', 1, 'off', true, false ], [ 'a.example', 'q', 1, 'bad', false, true ] ]);
	assert.equal(cards[0].lines[1].words, 'waiting for an IPv6 address on lte');
	assert.equal(cards[0].lines[1].detail, 'no prefix');
});

test('of several sources the one in use is said, and why not another', () => {
	const record = { hostname: 'a.example', provider: 'p', family: 'ipv4', state: 'published', source: 'lte', source_note: 'wan: eth1 is down' };
	const line = (r, source) => logic.cards({ records: [ Object.assign({}, record, r) ] }, { record: [ { hostname: 'a.example', provider: 'p', source: source } ] }, now)[0].lines[0];
	assert.equal(line({}, [ 'wan', 'lte' ]).via, 'by source lte \u2013 wan: eth1 is down');
	assert.equal(line({ source: 'wan', source_note: null }, [ 'wan', 'lte' ]).via, 'by source wan');
	assert.equal(line({ source: 'wan', source_note: null }, 'wan').via, null);
	assert.equal(line({ all_published: [ '1.1.1.1' ], source_note: 'lte: lte is down' }, [ 'wan', 'lte' ]).via, 'lte: lte is down');
	assert.equal(line({ source: 'wan', source_note: null }).via, null);
	assert.equal(line({ source: null, source_note: null, state: 'waiting' }, [ 'wan', 'lte' ]).words, 'waiting for an IPv4 address on wan');
	assert.equal(line({ state: 'waiting' }, [ 'wan', 'lte' ]).words, 'waiting for an IPv4 address on lte');
	const since = (r) => line(Object.assign({ published: '203.0.113.7', last_change: at(-10800) }, r)).since;
	assert.deepEqual([ since({ state: 'retrying' }), since({ state: 'published' }), since({ state: 'blocked', published: null }) ], [ 'published 3 h ago', null, null ]);
});

test('an alias in colour and words', () => {
	const alias = { hostname: 'w.example', provider: 'zone', target: 'a.example', state: 'published', reason: null, verdict: 'ok', verdict_note: 'all say so' };
	const said = (a) => { const d = logic.describeAlias({ ...alias, ...a }, now); return [ d.tone, d.words, d.detail ]; };
	assert.deepEqual(said({}), [ 'ok', 'published, seen by the name servers', null ]);
	assert.deepEqual(said({ verdict: null, verdict_note: null, reason: 'b.example is bad' }), [ 'ok', 'published', 'b.example is bad' ]);
	assert.deepEqual(said({ verdict: 'dark', verdict_note: 'NXDOMAIN', reason: 'why' }), [ 'bad', 'published, but the name does not resolve', 'why; NXDOMAIN' ]);
	assert.deepEqual(said({ state: 'waiting', target: null, reason: 'no target has been verified yet' }), [ 'busy', 'no target has been seen to be well yet', 'no target has been verified yet' ]);
	assert.deepEqual(said({ state: 'blocked', reason: 'badauth' }), [ 'bad', 'blocked', 'badauth' ]);
});

test('the assistant\'s steps go on until the world sees the name', () => {
	const s = (r, more) => ({ running: true, records: r ? [ { hostname: 'h.example', family: 'ipv4', ...r } ] : [], sources: [], ...more });
	const last = (status) => { const rows = logic.progress(status, 'h.example', now); return [ rows.length, rows[rows.length - 1].words, rows.every((x) => x.done) ]; };
	assert.deepEqual(last({ running: false, error: 'no socket' }), [ 1, 'The service does not run', false ]);
	assert.deepEqual(last(s(null)), [ 1, 'The service takes the new settings over …', false ]);
	assert.deepEqual(last(s({ state: 'waiting' })), [ 1, 'Looking for the IPv4 address …', false ]);
	assert.deepEqual(last(s({ state: 'updating', wanted: '203.0.113.7' })), [ 2, 'Sending it to the provider …', false ]);
	assert.deepEqual(last(s({ state: 'blocked', error_class: 'badauth', wanted: '203.0.113.7' })), [ 2, 'blocked: wrong user name, password or token', false ]);
	assert.deepEqual(last(s({ state: 'published', published: '203.0.113.7' })), [ 3, 'Waiting for the name servers to show it …', false ]);
	assert.deepEqual(last(s({ state: 'published', published: '203.0.113.7', verdict: 'ok', delegation: [ 'a.', 'b.' ] })), [ 3, 'The world sees it: seen by all 2 name servers', true ]);
	assert.deepEqual(last(s({ state: 'published', published: '203.0.113.7', verdict: 'unverifiable' })), [ 3, 'Whether the world sees it cannot be verified', true ]);
});

const catalogue = [
	{ name: 'noip', title: 'No-IP', families: [ 'ipv4', 'ipv6' ], zones: [ 'ddns.net', 'hopto.org' ], verify: true },
	{ name: 'noip-pl', title: 'no-ip.pl', families: [ 'ipv4' ], zones: [ 'noip.pl' ], verify: true },
	{ name: 'ddnss', title: 'DDNSS.de', families: [ 'ipv4' ], zones: [], verify: true, min_interval_seconds: 300 },
	{ name: 'cloudflare', title: 'Cloudflare', families: [ 'ipv4' ], zones: [], verify: false, documentation: [ 'https://developers.cloudflare.com/api' ] },
	{ name: 'generic', title: 'Your own URL', families: [ 'ipv4' ], zones: [], verify: true },
	{ name: 'mydns', title: 'MyDNS.JP', families: [ 'ipv4' ], zones: [ 'mydns.jp' ], verify: true }
];

test('the catalogue is searched by name, title, zone, host name and documentation', () => {
	const found = (words) => logic.search(catalogue, words).map((p) => p.name);
	assert.equal(found('').length, catalogue.length);
	assert.equal(found('No-IP')[0], 'noip');
	assert.equal(found('noip')[0], 'noip');
	assert.equal(found('no-ip.pl')[0], 'noip-pl');
	assert.equal(found('ddns.net')[0], 'noip');
	assert.deepEqual(found('home.hopto.org'), [ 'noip' ]);
	assert.deepEqual(found('own url'), [ 'generic' ]);
	assert.deepEqual(found('developers.cloudflare'), [ 'cloudflare' ]);
	assert.deepEqual(found('no such thing'), []);
	assert.deepEqual(found('<img src=x onerror=alert(1)>'), []);
});

test('limits are one line', () => {
	assert.equal(logic.limits(catalogue[0]), 'IPv4, IPv6');
	assert.equal(logic.limits(catalogue[2]), 'IPv4 · at most one update in 5 min');
	assert.equal(logic.limits(catalogue[3]), 'IPv4 · cannot be verified');
});

test('a new account gets a name that is free', () => {
	assert.equal(logic.freeName([], 'noip'), 'noip');
	assert.equal(logic.freeName([ 'noip', 'noip2' ], 'noip'), 'noip3');
	assert.equal(logic.freeName([], 'a b'), 'a-b');
});

test('host names', () => {
	for (const good of [ 'home.example.org', 'home.example.org.', '*.example.org', '_x.example.org', 'bücher.example', 'xn--bcher-kva.example', 'a.b' ])
		assert.equal(logic.hostnameError(good), null, good);
	for (const bad of [ '', 'home', 'http://home.example.org', 'a..b', '-a.example', 'a-.example', 'a b.example', 'x'.repeat(64) + '.example', 'a.*.example' ])
		assert.notEqual(logic.hostnameError(bad), null, bad);
});

test('durations', () => {
	for (const good of [ '90s', '10m', '72h', '30d', '1h30m', '1.5h', '500ms' ])
		assert.equal(logic.durationError(good), null, good);
	for (const bad of [ '10', 'm', '10 m', '-5m', '10x', '' ])
		assert.notEqual(logic.durationError(bad), null, bad);
});

test('what a rejected call means', () => {
	assert.equal(logic.trouble(new Error('RPC call to wanbeacon/status failed with error -32000: Object not found')), 'missing');
	assert.equal(logic.trouble(new Error('RPC call to wanbeacon/status failed with ubus code 4: Resource not found')), 'missing');
	assert.equal(logic.trouble(new Error('RPC call to wanbeacon/status failed with error -32002: Access denied')), 'denied');
	assert.equal(logic.trouble(new Error('RPC call to wanbeacon/status failed with ubus code 6: Permission denied')), 'denied');
	assert.equal(logic.trouble(new Error('RPC call to wanbeacon/status failed with ubus code 7: Request timed out')), 'failed');
	assert.equal(logic.trouble('XHR request timed out'), 'failed');
});

test('foreign text is tamed', () => {
	assert.equal(logic.tame('a\nb\u001b[31m\u202e'), 'a\\u000ab\\u001b[31m\\u202e');
	assert.equal(logic.tame('a\nb\u0007', 100, true), 'a\nb\\u0007');
	assert.equal(logic.tame('A'.repeat(10000), 100).length, 102);
	assert.equal(logic.tame(null), '');
	assert.equal(logic.tame('<img src=x onerror=alert(1)>'), '<img src=x onerror=alert(1)>'); // E() makes a text node of it
});

test('a name with the addresses of all its sources shows all of them', () => {
	const r = { hostname: 'home.example.org', provider: 'pdns', family: 'ipv4', state: 'published', published: '198.51.100.9', wanted: '198.51.100.9',
		all_published: [ '198.51.100.9', '203.0.113.7' ], all_wanted: [ '198.51.100.9' ], delegation: [] };
	const card = logic.cards({ records: [ r ] }, { record: [] }, now)[0];
	assert.equal(card.lines[0].published, '198.51.100.9 203.0.113.7');
	assert.equal(card.lines[0].wanted, '198.51.100.9');
	assert.equal(logic.addresses({ published: null, all_published: null }, 'published'), null);
});

test('every script of the page is one that a browser can read', () => {
	for (const name of scripts())
		new Function('L', 'E', '_', text(name));
});
