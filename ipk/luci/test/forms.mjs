// Every form of the settings page, filled, saved and edited in a browser, and the file that comes out: make test-luci.
// browser.mjs says what it needs.

import test, { before, after } from 'node:test';
import assert from 'node:assert';
import { HOST, SECRET, SERVER, apply, button, call, closed, edit, overview, provider, run, sent, settings, shell, shot, start, stop, tab, troubles } from './browser.mjs';

const FILE = '/etc/wanbeacon/config.toml';
const OTHER = 'other.' + HOST, ZONED = 'a.luci-test.example.net', ALIAS = 'alias.luci-test.example.net';
const needShell = { skip: shell ? false : 'WANBEACON_LUCI_SHELL is not set' };

let page, original;
before(async () => {
	page = await start();
	if (shell) {
		run(`cp -p ${FILE} ${FILE}.luci-test; { echo '# luci-test: at the head'; cat ${FILE}.luci-test; printf '\\n# luci-test: at the end, with "quotes" and [brackets]\\n'; } >${FILE}`);
		original = run(`cat ${FILE}`);
	}
	await settings(page);
});
after(async () => {
	if (page && shell)
		run(`cat ${FILE}.luci-test >${FILE}; rm ${FILE}.luci-test; /etc/init.d/wanbeacon reload`);
	await stop(page);
});

const config = async () => (await call(page, 'getConfig')).config;
const section = (type) => page.locator(`.cbi-section[data-tab=${type}]`);
const field = (name) => page.locator(`.modal [data-name=${name}]`);
const row = (type, words) => section(type).locator('tr.cbi-section-table-row', { hasText: words });
const add = async (words, type) => {
	await tab(page, words);
	await section(type).locator('.cbi-button-add').last().click();
};
const open = async (words, type, name) => {
	await tab(page, words);
	await row(type, name).locator('.cbi-button-edit').click();
	await page.waitForSelector('.modal .cbi-map');
};
const save = async () => {
	await page.locator('.modal .cbi-button-positive').click();
	await closed(page).catch(async (e) => {
		throw new Error('the dialog stays open: ' + await page.locator('.modal').evaluate((m) => [ ...m.querySelectorAll('.wb-error, .cbi-input-invalid') ].map((x) => x.textContent + x.id).join('; ')) + '; ' + e.message);
	});
};
const refused = async (name, words) => {
	await page.locator('.modal .cbi-button-positive').click();
	await field(name).locator('.wb-error', { hasText: words }).waitFor();
};
/* Fills a field of the open dialog, or of the page, whatever it is: a choice, a flag, several lines, a list, a combination of text and list. */
async function fill(scope, values) {
	for (const [ name, value ] of Object.entries(values)) {
		const f = scope.locator(`[data-name=${name}]`);
		if (typeof(value) == 'boolean')
			await f.locator('input[type=checkbox]').setChecked(value);
		else if (await f.locator('select').count())
			await f.locator('select').selectOption(value);
		else if (await f.locator('textarea').count())
			await f.locator('textarea').fill(value);
		else if (Array.isArray(value))
			for (const v of value)
				await pick(f, v, '.cbi-dynlist');
		else if (await f.locator('.cbi-dropdown').count())
			await pick(f, value, '');
		else
			await f.locator('input:not([type=hidden])').first().fill(value);
	}
}
/* An entry of a drop-down list, or a text of one's own in it; in a plain list of texts the text alone. */
async function pick(f, value, inside) {
	const list = f.locator(`${inside} .cbi-dropdown`);
	if (!await list.count()) {
		await f.locator('.add-item input').fill(value);
		return f.locator('.add-item .cbi-button-add').click();
	}
	await list.click();
	const entry = list.locator('ul.dropdown li', { hasText: new RegExp('^' + value.replace(/\./g, '\\.') + '$') });
	if (await entry.count())
		return entry.first().click();
	await list.locator('ul.dropdown input.create-item-input').fill(value);
	return page.keyboard.press('Enter');
}

/* name, method, what is filled in, what the file has then besides method */
const SOURCES = [
	[ 'test-auto', 'auto', { allow_private: true }, { allow_private: true } ],
	[ 'test-device', 'interface', { interface: 'nosuch0' } ],
	[ 'test-network', 'interface', { network: 'wan' } ],
	[ 'test-upstream', 'upstream', { interface: 'nosuch0' } ],
	[ 'test-echo', 'echo', { url: SERVER + '/address', pattern: 'Your address: {address}<', insecure_http: true, allow_private: true } ],
	[ 'test-mac', 'host', { interface: 'br-lan', mac: '00:11:22:33:44:55' } ],
	[ 'test-suffix', 'host', { interface: 'br-lan', suffix: '::1234:5678:9abc:def0' } ],
	[ 'test-fixed', 'static', { ipv4: '198.51.100.9', ipv6: '2001:db8::9' } ],
	[ 'test-program', 'command', { command: '/bin/echo\n198.51.100.10' }, { command: [ '/bin/echo', '198.51.100.10' ] } ]
];

test('sources of every method', async () => {
	for (const [ name, method, values ] of SOURCES) {
		await add('Sources', 'source');
		await fill(page.locator('.modal'), { _name: name, method: method });
		await fill(page.locator('.modal'), values);
		if (method == 'echo')
			await shot(page, 'form-source-echo');
		await save();
		await row('source', name).waitFor();
	}
	await shot(page, 'form-sources');
	await apply(page);
	const c = await config();
	for (const [ name, method, values, want ] of SOURCES)
		assert.deepEqual(c.source[name], Object.assign(method == 'auto' ? {} : { method: method }, want ?? values), name);
	if (shell)
		assert.match(run(`cat ${FILE}`), /\n\[source\.test-echo\]\nmethod = "echo"\n(?:[a-z_]+ = .*\n)*pattern = "Your address: \{address\}<"\n/);
	const s = (await call(page, 'status')).sources;
	for (const [ name ] of SOURCES)
		assert.ok(s.some((x) => x.name == name), 'the daemon has no source ' + name);
});

test('a source: what a method lacks or has too much is said at its field', async () => {
	await open('Sources', 'source', 'test-auto');
	await fill(page.locator('.modal'), { interface: 'eth1', network: 'wan' });
	await refused('network', 'keep one of them');
	await fill(page.locator('.modal'), { method: 'host' });
	assert.equal(await field('network').isVisible(), false);
	await page.locator('.modal .cbi-button-positive').click();
	await page.locator('.modal .wb-error', { hasText: 'needs `suffix`' }).waitFor();
	await fill(page.locator('.modal'), { method: 'echo', pattern: 'no place' });
	await refused('pattern', '{address}');
	await fill(page.locator('.modal'), { method: 'static' });
	assert.equal(await field('pattern').isVisible(), false);
	await fill(page.locator('.modal'), { ipv4: '1.2.3' });
	await page.locator('.modal .cbi-button-positive').click();
	await page.waitForSelector('.modal [data-name=ipv4] .cbi-input-invalid');
	await button(page.locator('.modal'), 'Dismiss').click();
	await closed(page);
	assert.deepEqual((await config()).source['test-auto'], { allow_private: true });
});

test('a source becomes one of another method, and keeps nothing of the former', async () => {
	await open('Sources', 'source', 'test-device');
	await fill(page.locator('.modal'), { method: 'static' });
	await fill(page.locator('.modal'), { ipv4: '198.51.100.11' });
	await save();
	await apply(page);
	assert.deepEqual((await config()).source['test-device'], { method: 'static', ipv4: '198.51.100.11' });
	await open('Sources', 'source', 'test-device');
	await fill(page.locator('.modal'), { method: 'interface' });
	await fill(page.locator('.modal'), { interface: 'nosuch0' });
	await save();
	await apply(page);
	assert.deepEqual((await config()).source['test-device'], { method: 'interface', interface: 'nosuch0' });
});

test('accounts, and a name with all that a name can have', async () => {
	for (const [ type, name, values, more ] of [
		[ 'no-ip', 'test-noip', { username: 'abc123', password: SECRET }, { server: SERVER, force_interval: '30d' } ],
		[ 'desec-api', 'test-zone', { zone: 'luci-test.example.net', token: SECRET }, { server: SERVER } ]
	]) {
		await add('Accounts', 'provider');
		await page.fill('.modal .wb-pick', type);
		await page.keyboard.press('Enter');
		await page.waitForSelector('.modal [data-name=_name]');
		await fill(page.locator('.modal'), { _name: name, ...values });
		await page.locator('.modal .cbi-tabmenu a', { hasText: 'Advanced' }).click();
		await fill(page.locator('.modal'), more);
		await save();
	}
	await add('Names', 'record');
	await fill(page.locator('.modal'), { hostname: HOST, families: 'ipv4 ipv6' });
	await field('provider').locator('select').selectOption({ label: 'test-noip' });
	/* the usual source goes, two others come, and the second of them is the better one */
	await field('source').locator('.item', { hasText: 'wan' }).focus();
	await page.keyboard.press('Delete');
	await fill(page.locator('.modal'), { source: [ 'test-fixed', 'test-device' ] });
	await field('source').locator('.item', { hasText: 'test-device' }).locator('button').click();
	assert.deepEqual((await field('source').locator('.item span').allInnerTexts()).slice(0, 2), [ 'test-device', 'test-fixed' ]);
	await shot(page, 'form-name');
	await page.locator('.modal .cbi-tabmenu a', { hasText: 'Advanced' }).click();
	await fill(page.locator('.modal'), { ttl: '5m', on_change: '/bin/echo\n-n\nthe same\nthe same' });
	await shot(page, 'form-name-advanced');
	await page.locator('.modal .cbi-tabmenu a', { hasText: 'General' }).click();
	await refused('ttl', 'TTL'); /* on its tab, which comes to the front */
	await fill(page.locator('.modal'), { ttl: '' });
	await save();
	await add('Names', 'record');
	await fill(page.locator('.modal'), { hostname: ZONED });
	await field('provider').locator('select').selectOption({ label: 'test-zone' });
	await page.locator('.modal .cbi-tabmenu a', { hasText: 'Advanced' }).click();
	await fill(page.locator('.modal'), { ttl: '2h', remove_on_exit: true, all_sources: true });
	await page.locator('.modal .cbi-button-positive').click();
	await field('all_sources').locator('.wb-error', { hasText: 'several' }).waitFor();
	await page.locator('.modal .cbi-tabmenu a', { hasText: 'General' }).click();
	await fill(page.locator('.modal'), { source: [ 'test-fixed' ] });
	await save();
	await add('Names', 'record');
	await fill(page.locator('.modal'), { hostname: OTHER });
	await field('provider').locator('select').selectOption({ label: 'test-noip' });
	await save();
	assert.match(await row('record', OTHER).innerText(), /wan/);
	const n = provider.requests.length;
	await apply(page);
	const c = await config();
	assert.deepEqual(c.record, [
		{ hostname: HOST, provider: 'test-noip', families: [ 'ipv4', 'ipv6' ], source: [ 'test-device', 'test-fixed' ], on_change: [ '/bin/echo', '-n', 'the same', 'the same' ] },
		{ hostname: ZONED, provider: 'test-zone', source: [ 'wan', 'test-fixed' ], ttl: '2h', remove_on_exit: true, all_sources: true },
		{ hostname: OTHER, provider: 'test-noip' }
	]);
	assert.deepEqual(c.provider['test-noip'], { type: 'noip', username: 'abc123', password: { set: true }, server: SERVER, force_interval: '30d' });
	if (shell)
		assert.match(run(`cat ${FILE}`), /\nsource = \["test-device", "test-fixed"\]\n/);
	const r = await sent('the address of the second source', (x) => x.url.includes('hostname=' + HOST) && provider.requests.indexOf(x) >= n);
	assert.match(decodeURIComponent(r.url), /198\.51\.100\.9/);
});

test('the overview says which of several sources is in use, and why', async () => {
	await overview(page);
	await page.locator('.wb-card', { hasText: ZONED }).locator('.wb-address', { hasText: /198\.51\.100\.9 \d|\d 198\.51\.100\.9/ }).waitFor();
	await page.locator('.wb-card', { hasText: 'by source test-fixed \u2013 test-device: there is no interface nosuch0' }).first().waitFor();
	await shot(page, 'overview-sources');
	await settings(page);
	await open('Names', 'record', new RegExp('^' + HOST.replace(/\./g, '\\.')));
	assert.deepEqual((await field('source').locator('.item span').allInnerTexts()).slice(0, 2), [ 'test-device', 'test-fixed' ]);
	await button(page.locator('.modal'), 'Dismiss').click();
	await closed(page);
});

test('an alias is made, written by its account, and edited', async () => {
	await add('Aliases', 'alias');
	await fill(page.locator('.modal'), { hostname: ALIAS });
	assert.deepEqual((await field('provider').locator('option').allInnerTexts()).filter((t) => t.startsWith('test-')), [ 'test-zone' ], 'only accounts that can write a CNAME');
	await field('provider').locator('select').selectOption({ label: 'test-zone' });
	await fill(page.locator('.modal'), { targets: [ OTHER, HOST ] });
	await field('targets').locator('.item').nth(1).locator('button').click();
	await page.locator('.modal .cbi-tabmenu a', { hasText: 'Advanced' }).click();
	await fill(page.locator('.modal'), { fail_after: 'soon' });
	await page.locator('.modal .cbi-button-positive').click();
	await page.waitForSelector('.modal [data-name=fail_after] .cbi-input-invalid');
	await fill(page.locator('.modal'), { fail_after: '2s', return_after: '1h' });
	await shot(page, 'form-alias');
	await save();
	await apply(page);
	assert.deepEqual((await config()).alias, [ { hostname: ALIAS, provider: 'test-zone', targets: [ HOST, OTHER ], fail_after: '2s', return_after: '1h' } ]);
	const r = await sent('the CNAME', (x) => x.method == 'PATCH' && x.body.includes('CNAME'));
	assert.deepEqual(JSON.parse(r.body)[0].records, [ HOST + '.' ]);
	await open('Aliases', 'alias', ALIAS);
	await page.locator('.modal .cbi-tabmenu a', { hasText: 'Advanced' }).click();
	await fill(page.locator('.modal'), { fail_after: '' });
	await save();
	await apply(page);
	assert.deepEqual((await config()).alias, [ { hostname: ALIAS, provider: 'test-zone', targets: [ HOST, OTHER ], return_after: '1h' } ]);
	await overview(page);
	await page.locator('tr', { hasText: ALIAS }).locator('.wb-state', { hasText: 'published' }).waitFor();
	await shot(page, 'overview-alias');
	await settings(page);
});

test('notifications, verification and the service', async () => {
	await tab(page, 'Notifications');
	await fill(section('notify'), { command: '/bin/echo\nx\nx', url: SERVER + '/notify' });
	await shot(page, 'form-notify');
	await tab(page, 'Verification');
	await fill(section('verify'), { interval: '20m' });
	await tab(page, 'Service');
	await fill(section('daemon'), { timeout: 'long' });
	await page.locator('.cbi-page-actions .cbi-button-apply').click();
	await page.waitForSelector('[data-name=timeout] .cbi-input-invalid');
	await fill(section('daemon'), { timeout: '9m' });
	await page.locator('.cbi-page-actions .cbi-button-apply').click();
	await section('daemon').locator('[data-name=timeout] .wb-error').waitFor();
	await fill(section('daemon'), { timeout: '21s', log_level: 'debug' });
	await apply(page);
	let c = await config();
	assert.deepEqual(c.notify, { command: [ '/bin/echo', 'x', 'x' ], url: { set: true } });
	assert.equal(c.verify.interval, '20m');
	assert.deepEqual([ c.daemon.timeout, c.daemon.log_level ], [ '21s', 'debug' ]);
	assert.ok(!(await page.content()).includes('/notify'), 'a stored web address is on the page');

	provider.answer = 'nohost';
	await call(page, 'update', [ OTHER ], true);
	const event = JSON.parse((await sent('the notification', (x) => x.method == 'POST' && x.url == '/notify')).body);
	assert.deepEqual([ event.event, event.hostname ], [ 'blocked', OTHER ]);
	provider.answer = 'good';

	await tab(page, 'Notifications');
	await fill(section('notify'), { url: '', command: '' });
	await tab(page, 'Verification');
	await fill(section('verify'), { interval: '' });
	await tab(page, 'Service');
	await fill(section('daemon'), { timeout: '', log_level: 'info' });
	await apply(page);
	c = await config();
	assert.deepEqual([ c.notify, c.verify.interval, c.daemon.timeout ], [ {}, undefined, undefined ]);
});

test('what was written into the file by hand survives what the page changes', needShell, async () => {
	run(`sed -i 's/^hostname = "${ZONED}"/& # luci-test: beside a key/; s/^\\[source.test-fixed\\]/# luci-test: above a table\\n&  # luci-test: beside a header/; s/^ipv6 = "2001:db8::9"/ipv6   =   "2001:db8::9"   # luci-test: with odd blanks/' ${FILE}`);
	const before = run(`cat ${FILE}`);
	assert.equal(before.match(/luci-test: /g).length, 6);
	await settings(page);
	await open('Names', 'record', ZONED);
	await page.locator('.modal .cbi-tabmenu a', { hasText: 'Advanced' }).click();
	await fill(page.locator('.modal'), { ttl: '3h' });
	await save();
	await open('Sources', 'source', 'test-fixed');
	await fill(page.locator('.modal'), { ipv4: '198.51.100.12' });
	await save();
	await apply(page);
	assert.equal(run(`cat ${FILE}`), before.replace('ttl = "2h"', 'ttl = "3h"').replace('ipv4 = "198.51.100.9"', 'ipv4 = "198.51.100.12"'));
});

test('a hostile file is only text, in every dialog, and its mistakes lead to them', needShell, async () => {
	const before = run(`cat ${FILE}`);
	for (const evil of [ '<img src=x onerror=window.pwned=1>', '&lt;img src=x onerror=window.pwned=1&gt;' ]) {
		const name = JSON.stringify(evil);
		run(`cat >${FILE} <<'END'
[provider.${name}]
type = ${name}
username = ${name}

[source.${name}]
method = "static"

[[record]]
hostname = ${name}
provider = ${name}
source = [${name}]

[[alias]]
hostname = ${name}
provider = ${name}
targets = [${name}]
END`);
		await overview(page);
		await settings(page);
		assert.ok(await button(page.locator('.alert-message'), 'Correct it').count(), 'no way to the mistakes');
		for (const [ words, type ] of [ [ 'Names', 'record' ], [ 'Accounts', 'provider' ], [ 'Aliases', 'alias' ], [ 'Sources', 'source' ] ]) {
			await tab(page, words);
			await edit(page, type);
			assert.match(await page.locator('.modal h4').innerText(), /img src=x/);
			assert.equal(await page.locator('.wb img, .modal img[src=x]').count(), 0, words);
			await button(page.locator('.modal'), 'Dismiss').click();
			await closed(page);
		}
		assert.equal(await page.evaluate(() => window.pwned), undefined);
	}
	run(`cat >${FILE} <<'END'\n${before}END`);
	assert.equal(run(`cat ${FILE}`), before);
	await settings(page);
});

test('all of it is taken out again, and the file is as it was', async () => {
	for (const [ words, type, names ] of [ [ 'Aliases', 'alias', [ ALIAS ] ], [ 'Names', 'record', [ OTHER, ZONED, HOST ] ],
		[ 'Accounts', 'provider', [ 'test-noip', 'test-zone' ] ], [ 'Sources', 'source', SOURCES.map((s) => s[0]) ] ]) {
		await tab(page, words);
		for (const name of names) {
			await row(type, name).locator('.cbi-button-remove').click();
			await row(type, name).waitFor({ state: 'detached' });
		}
	}
	await apply(page);
	const c = await config();
	assert.deepEqual([ c.record, c.alias ], [ [], [] ]);
	/* but for the tables of which there is one, which stay when they become empty, and a choice that was made */
	if (shell)
		assert.equal(run(`cat ${FILE}`).replace(/^log_level = "info"\n/m, '').replace(/\n\[(notify|verify)\]\n/g, '').trim(), original.trim());
});

test('no script failed on the way', () => {
	assert.deepEqual(troubles, []);
});
