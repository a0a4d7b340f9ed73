// The page in a real LuCI, with a real daemon, in a real browser: make test-luci.
//
//   WANBEACON_LUCI_URL       such as http://192.168.1.1; a router with both packages, no name configured, and an IPv4 address
//   WANBEACON_LUCI_PASSWORD  of root; default: none
//   WANBEACON_LUCI_VIEWER    NAME:PASSWORD of a login that may only look; without it those tests say that they did not run
//   WANBEACON_LUCI_SHOTS     a directory for pictures; default: none are taken
//   WANBEACON_LUCI_CHROMIUM  default /usr/bin/chromium
//
// The provider is this program, at the router's own 127.0.0.1:18080: run it on the router's machine, or lead the port here
// with `ssh -R 18080:127.0.0.1:18080 root@router`. What it configures it takes out again.

import test, { before, after } from 'node:test';
import assert from 'node:assert';
import http from 'node:http';
import { chromium } from 'playwright-core';

const base = (process.env.WANBEACON_LUCI_URL ?? '').replace(/\/$/, '');
if (!base)
	throw new Error('WANBEACON_LUCI_URL is not set; the head of this file says what is needed');
const shots = process.env.WANBEACON_LUCI_SHOTS;
const HOST = 'luci-test.ddns.net', SECRET = 'S3cret-of-the-test';
const patience = +(process.env.WANBEACON_LUCI_PATIENCE ?? 60) * 1000;

const provider = { requests: [], answer: 'good' };
const hostile = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>\u0007\u001b[31m' + 'A'.repeat(10000);
const server = http.createServer((req, res) => {
	const password = Buffer.from((req.headers.authorization ?? '').slice(6), 'base64').toString().split(':')[1];
	provider.requests.push({ url: req.url, password });
	res.end(password == 'wrong' ? 'badauth' : provider.answer == 'good' ? 'good ' + new URL(req.url, base).searchParams.get('myip') : provider.answer);
});

let browser;
const troubles = [];

async function login(user, password, options) {
	const context = await browser.newContext({ viewport: { width: 1180, height: 900 }, ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(patience);
	page.on('pageerror', (e) => troubles.push('page error: ' + e.message));
	page.on('console', (m) => { if (m.type() == 'error' && !/403|favicon/.test(m.text())) troubles.push('console: ' + m.text()); });
	await page.goto(base + '/cgi-bin/luci/admin/services/wanbeacon/overview');
	await page.fill('input[name=luci_username]', user);
	await page.fill('input[name=luci_password]', password);
	await page.locator('input[name=luci_password]').press('Enter');
	await page.waitForSelector('.wb, .alert-message');
	return page;
}

const go = async (page, where, selector) => {
	await page.goto(base + '/cgi-bin/luci/admin/' + where);
	await page.waitForSelector(selector);
};
const overview = (page) => go(page, 'services/wanbeacon/overview', '.wb-log');
const settings = (page) => go(page, 'services/wanbeacon/settings', '.cbi-map-tabbed');
/* through the page's own queue: rpcd mixes up calls that overlap */
const call = (page, method, ...args) => page.evaluate(([ m, a ]) => L.require('view.wanbeacon.parts').then((x) => x[m](...a)), [ method, args ]);
const shot = async (page, name) => { if (shots) await page.screenshot({ path: shots + '/' + name + '.png', fullPage: true }); };
const button = (scope, words) => scope.locator('button', { hasText: words }).first();
const tab = (page, words) => page.locator('.cbi-tabmenu a', { hasText: words }).first().click();
const edit = async (page, type) => {
	await page.locator(`.cbi-section[data-tab=${type}] .cbi-button-edit`).first().click();
	await page.waitForSelector('.modal .cbi-map');
};
const sent = (n) => new Promise((resolve, reject) => {
	const end = Date.now() + patience;
	const look = () => provider.requests.length >= n ? resolve() : Date.now() > end ? reject(new Error('the provider got no request')) : setTimeout(look, 100);
	look();
});

/* Takes out what these tests made. */
async function clean(page) {
	const c = await call(page, 'getConfig');
	const tables = c.config.record.map((r, i) => [ r, i ]).filter(([ r ]) => r.hostname.endsWith(HOST)).map(([ r, i ]) => ({ table: `record[${i}]`, remove: true }));
	for (const name of Object.keys(c.config.provider).filter((n) => (c.config.provider[n].server ?? '').endsWith(':18080')))
		tables.push({ table: 'provider.' + name, remove: true });
	if (tables.length)
		assert.ok((await call(page, 'setConfig', c.revision, tables, false, true)).saved);
}

let page;
before(async () => {
	await new Promise((resolve) => server.listen(18080, '127.0.0.1', resolve));
	browser = await chromium.launch({ executablePath: process.env.WANBEACON_LUCI_CHROMIUM ?? '/usr/bin/chromium', args: [ '--no-sandbox' ] });
	page = await login('root', process.env.WANBEACON_LUCI_PASSWORD ?? '');
	await clean(page);
	const c = await call(page, 'getConfig');
	assert.equal(c.config.record.length, 0, 'this router has names of its own; the tests want one without');
	await overview(page);
});
after(async () => {
	if (page)
		await clean(page);
	await browser?.close();
	server.close();
});

test('the assistant: a refusal is shown and corrected, then the name is published', async () => {
	let clicks = 0, fields = 0;
	const fill = async (selector, value) => { fields++; await page.fill(selector, value); };
	const click = async (words) => { clicks++; await button(page, words).click(); };

	await page.fill('.wb-pick', 'no such provider at all');
	await page.waitForSelector('.wb-found em');
	await fill('.wb-pick', 'no-ip');
	await shot(page, 'assistant-pick');
	clicks++;
	await page.locator('.wb-found button').first().click();
	await fill('#wb-username', 'abc123');
	await fill('#wb-hostname', 'nodots');
	await button(page, 'Save and publish').click();
	assert.match(await page.locator('.wb-field', { has: page.locator('#wb-password') }).locator('.wb-error').innerText(), /needed/);
	await fill('#wb-password', 'wrong');
	await button(page, 'Save and publish').click();
	assert.match(await page.locator('.wb-field', { has: page.locator('#wb-hostname') }).locator('.wb-error').innerText(), /whole name/);
	await page.fill('#wb-hostname', HOST);

	/* only the test needs this: where its provider is. The daemon's own error first, at the field. */
	await page.click('summary');
	await page.fill('#wb-server', 'http://192.0.2.1');
	await button(page, 'Save and publish').click();
	await page.waitForFunction(() => document.querySelector('#wb-server').closest('.wb-field').querySelector('.wb-error').textContent.includes('http'));
	await page.fill('#wb-server', 'http://127.0.0.1:18080');
	await shot(page, 'assistant-form');
	await click('Save and publish');

	await page.waitForSelector('.wb-steps .wb-bad');
	assert.match(await page.locator('.wb-steps').innerText(), /wrong user name, password or token/);
	await shot(page, 'assistant-refused');
	await button(page, 'Correct something').click();
	await page.fill('#wb-password', SECRET);
	await button(page, 'Save and publish').click();
	await page.locator('.wb-steps', { hasText: 'Accepted by the provider' }).waitFor().catch((e) => { throw new Error(e.message + JSON.stringify(provider.requests)); });
	await shot(page, 'assistant-progress');
	await click('To the overview');
	await page.waitForSelector('.wb-card');
	assert.match(await page.locator('.wb-card').innerText(), /published/);
	await shot(page, 'overview');

	const c = (await call(page, 'getConfig')).config;
	assert.equal(c.record.length, 1, 'a second try made a second name');
	assert.equal(Object.keys(c.provider).length, 1, 'a second try made a second account');
	assert.deepEqual(Object.values(c.provider)[0].password, { set: true });
	assert.deepEqual([ fields, clicks ], [ 4, 3 ], 'fields and clicks from nothing to published');
});

test('update: what is unchanged is only sent when asked again', async () => {
	await overview(page);
	const n = provider.requests.length;
	await button(page.locator('.wb-card'), 'Update now').click();
	const again = button(page, 'Send it all the same');
	await again.waitFor();
	assert.equal(provider.requests.length, n);
	await again.click();
	await sent(n + 1);
	await button(page, 'Update all now').click();
	await again.waitFor();
});

test('pause and resume', async () => {
	await overview(page);
	await button(page.locator('.wb-card'), 'Pause').click();
	await page.locator('.wb-card', { hasText: 'paused' }).waitFor();
	assert.equal((await call(page, 'getConfig')).config.record[0].enabled, false);
	await button(page.locator('.wb-card'), 'Resume').click();
	await page.locator('.wb-card', { hasText: 'published' }).waitFor();
	assert.equal((await call(page, 'getConfig')).config.record[0].enabled, undefined);
});

test('verify, candidates and the log', async () => {
	await overview(page);
	await button(page, 'All candidates').click();
	await page.locator('.modal', { hasText: 'taken' }).waitFor();
	await shot(page, 'candidates');
	await button(page.locator('.modal'), 'Close').click();
	await button(page.locator('.wb-card'), 'Verify now').click();
	/* a daemon without verification says so, in a notice */
	await page.locator('.modal-overlay-active .modal', { hasText: HOST }).or(page.locator('.alert-message', { hasText: 'verify' })).waitFor();
	await shot(page, 'verify');
	if (await page.locator('.modal-overlay-active').count())
		await button(page.locator('.modal'), 'Close').click();
	assert.match(await page.locator('.wb-log').innerText(), new RegExp(HOST.replace(/\./g, '\\.')));
});

test('settings: the daemon\'s error stands at its field, and nothing was changed', async () => {
	await settings(page);
	await tab(page, 'Accounts');
	await edit(page, 'provider');
	assert.ok(!(await page.content()).includes(SECRET), 'a stored password is on the page');
	await shot(page, 'settings-provider');
	await page.locator('.modal .cbi-tabmenu a', { hasText: 'Advanced' }).click();
	await page.locator('.modal [data-name=server] input').fill('http://192.0.2.1');
	await page.locator('.modal .cbi-button-positive').click();
	await page.waitForSelector('.modal [data-name=server] .wb-error');
	await shot(page, 'settings-error');
	await page.locator('.modal button', { hasText: 'Dismiss' }).click();
	await page.locator('.cbi-page-actions .cbi-button-apply').click();
	await page.locator('.alert-message', { hasText: 'in force' }).waitFor();
	assert.match(JSON.stringify((await call(page, 'getConfig')).config.provider), /127\.0\.0\.1:18080/);
});

test('settings: Save writes, Save & Apply takes over, Reset drops', async () => {
	await settings(page);
	const ttl = async (text) => {
		await tab(page, 'Names');
		await edit(page, 'record');
		await page.locator('.modal [data-name=hostname] input').fill(text);
		await page.locator('.modal .cbi-button-positive').click();
		await page.waitForSelector('body:not(.modal-overlay-active)');
	};
	const inForce = async () => (await call(page, 'status')).records.map((r) => r.hostname).join();
	await ttl('x.' + HOST);
	await page.locator('.cbi-button-reset').click();
	await page.locator('.cbi-section[data-tab=record] td', { hasText: new RegExp('^' + HOST) }).waitFor();

	await ttl('y.' + HOST);
	await page.locator('.cbi-page-actions .cbi-button-save').click();
	await page.locator('.alert-message', { hasText: 'until you press' }).waitFor();
	assert.equal((await call(page, 'getConfig')).config.record[0].hostname, 'y.' + HOST);
	assert.equal(await inForce(), HOST);
	await page.locator('.cbi-page-actions .cbi-button-apply').click();
	await page.locator('.alert-message', { hasText: 'in force' }).waitFor();
	assert.equal(await inForce(), 'y.' + HOST);
});

test('settings: tables are added, renamed, switched off in the grid, and taken out', async () => {
	await settings(page);
	await tab(page, 'Accounts');
	await page.locator('.cbi-section[data-tab=provider] .cbi-button-add').click();
	await page.fill('.modal .wb-pick', 'duckdns');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.modal [data-name=token]');
	await page.locator('.modal .cbi-button-positive').click();
	await page.waitForSelector('.modal .wb-error, .modal .cbi-input-invalid');
	await page.locator('.modal [data-name=token] input').fill('secret-token');
	await page.locator('.modal [data-name=_name] input').fill('ducks');
	await page.locator('.modal .cbi-button-positive').click();
	await page.locator('.cbi-section[data-tab=provider] td', { hasText: 'ducks' }).waitFor();

	await page.locator('.cbi-section[data-tab=provider] .cbi-button-edit').first().click();
	await page.locator('.modal [data-name=_name] input').fill('renamed');
	await page.locator('.modal .cbi-button-positive').click();
	await page.waitForSelector('body:not(.modal-overlay-active)');
	await tab(page, 'Names');
	await page.locator('.cbi-section[data-tab=record] td', { hasText: 'renamed' }).waitFor();
	await page.locator('.cbi-section[data-tab=record] [data-name=enabled] input[type=checkbox]').click();
	await tab(page, 'Sources');
	await page.locator('.cbi-section[data-tab=source] .cbi-button-add').click();
	await page.locator('.modal [data-name=_name] input').fill('test-fixed');
	await page.locator('.modal [data-name=method] select').selectOption('static');
	await page.locator('.modal [data-name=ipv4] input').fill('198.51.100.9');
	await page.locator('.modal .cbi-button-positive').click();
	await page.waitForSelector('body:not(.modal-overlay-active)');
	await page.locator('.cbi-page-actions .cbi-button-apply').click();
	await page.locator('.alert-message', { hasText: 'in force' }).waitFor();

	const c = (await call(page, 'getConfig')).config;
	assert.equal(c.provider.ducks.type, 'duckdns');
	assert.equal(c.record[0].provider, 'renamed');
	assert.equal(c.record[0].enabled, false);
	assert.deepEqual(c.source['test-fixed'], { method: 'static', ipv4: '198.51.100.9' });

	for (const [ words, type, name ] of [ [ 'Accounts', 'provider', 'ducks' ], [ 'Sources', 'source', 'test-fixed' ] ]) {
		await tab(page, words);
		await page.locator(`.cbi-section[data-tab=${type}] tr`, { hasText: name }).locator('.cbi-button-remove').click();
		await page.locator(`.cbi-section[data-tab=${type}] tr`, { hasText: name }).waitFor({ state: 'detached' });
	}
	await tab(page, 'Names');
	await page.locator('.cbi-section[data-tab=record] [data-name=enabled] input[type=checkbox]').click();
	await page.locator('.cbi-page-actions .cbi-button-apply').click();
	await page.waitForFunction(() => L.require('view.wanbeacon.parts').then((x) => x.getConfig()).then((r) => !r.config.provider.ducks && !r.config.source['test-fixed'] && r.config.record[0].enabled !== false), null, { polling: 500 });
});

test('settings: a file that has become another is noticed, and my changes go on top of it', async () => {
	await settings(page);
	await tab(page, 'Names');
	await edit(page, 'record');
	await page.locator('.modal [data-name=hostname] input').fill(HOST);
	await page.locator('.modal .cbi-button-positive').click();
	await page.waitForSelector('body:not(.modal-overlay-active)');
	const c = await call(page, 'getConfig');
	assert.ok((await call(page, 'setConfig', c.revision, [ { table: 'daemon', set: { timeout: '21s' } } ], false, false)).saved);
	await page.locator('.cbi-page-actions .cbi-button-apply').click();
	await page.locator('.alert-message', { hasText: 'changed by somebody else' }).waitFor();
	await shot(page, 'settings-stale');
	await button(page, 'Save my changes on top of it').click();
	await page.locator('.alert-message', { hasText: 'in force' }).waitFor();
	const now = await call(page, 'getConfig');
	assert.equal(now.config.record[0].hostname, HOST);
	assert.equal(now.config.daemon.timeout, '21s');
	await call(page, 'setConfig', now.revision, [ { table: 'daemon', set: { timeout: null } } ], false, true);
	await page.locator('.alert-message', { hasText: 'in another window' }).waitFor();
	await button(page, 'Show the new file').click();
	await page.locator('.alert-message', { hasText: 'in another window' }).waitFor({ state: 'detached' });
});

test('a provider\'s hostile text is only text', async () => {
	await overview(page);
	provider.answer = hostile;
	const n = provider.requests.length;
	await call(page, 'update', [ HOST ], true);
	await sent(n + 1);
	await page.locator('.wb-card', { hasText: '<img' }).waitFor();
	await shot(page, 'hostile');
	assert.equal(await page.evaluate(() => window.pwned), undefined);
	assert.equal(await page.locator('.wb img, .wb script').count(), 0);
	assert.ok(await page.locator('.wb-card').evaluate((e) => e.textContent.length < 1500), 'a long answer floods the card');
	assert.ok(!/[\u0007\u001b]/.test(await page.locator('.wb').innerText()), 'control characters are on the page');
	await go(page, 'status/overview', '.wb-state');
	assert.equal(await page.evaluate(() => window.pwned), undefined);
	provider.answer = 'good';
	await overview(page);
	await page.locator('.wb-card button', { hasText: /Update now|Try again/ }).click();
	await page.evaluate((h) => L.require('view.wanbeacon.parts').then((x) => x.update([ h ], true)), HOST);
	await page.locator('.wb-card', { hasText: 'published' }).waitFor();
});

test('the status page has the name', async () => {
	await go(page, 'status/overview', '.wb-state');
	assert.match(await page.locator('table', { has: page.locator('.wb-state') }).innerText(), new RegExp(HOST));
	await shot(page, 'widget');
});

test('without the object, the page says what to do', async () => {
	await page.route('**/ubus/**', async (route) => {
		const asked = JSON.parse(route.request().postData() ?? '[]');
		const one = (r) => ({ jsonrpc: '2.0', id: r.id, error: { code: -32000, message: 'Object not found' } });
		if (JSON.stringify(asked).includes('"wanbeacon"'))
			return route.fulfill({ contentType: 'application/json', body: JSON.stringify(Array.isArray(asked) ? asked.map(one) : one(asked)) });
		return route.continue();
	});
	for (const where of [ 'overview', 'settings' ]) {
		await go(page, 'services/wanbeacon/' + where, '.alert-message');
		await page.locator('.alert-message', { hasText: 'rpcd reload' }).waitFor();
	}
	await page.unroute('**/ubus/**');
});

test('phone width and both colour schemes: nothing sticks out', async () => {
	for (const scheme of [ 'light', 'dark' ]) {
		const phone = await login('root', process.env.WANBEACON_LUCI_PASSWORD ?? '', { viewport: { width: 360, height: 740 }, colorScheme: scheme });
		await overview(phone);
		await phone.waitForSelector('.wb-card');
		const over = () => phone.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
		assert.ok(await over() <= 0, 'the overview is wider than the screen');
		await shot(phone, 'phone-' + scheme);
		await button(phone, 'Add a name').click();
		await phone.waitForSelector('.wb-pick');
		assert.ok(await over() <= 0, 'the assistant is wider than the screen');
		await settings(phone);
		assert.ok(await over() <= 0, 'the settings are wider than the screen');
		await shot(phone, 'phone-settings-' + scheme);
		await phone.context().close();
	}
	const dark = await login('root', process.env.WANBEACON_LUCI_PASSWORD ?? '', { colorScheme: 'dark' });
	await overview(dark);
	await dark.waitForSelector('.wb-card');
	await shot(dark, 'dark');
	await dark.context().close();
});

test('a login that may only look sees everything but buttons', { skip: process.env.WANBEACON_LUCI_VIEWER ? false : 'WANBEACON_LUCI_VIEWER is not set' }, async () => {
	const [ name, password ] = process.env.WANBEACON_LUCI_VIEWER.split(':');
	const viewer = await login(name, password);
	await overview(viewer);
	await viewer.waitForSelector('.wb-card');
	assert.deepEqual(await viewer.locator('.wb-card button, .wb-head .cbi-button-add').count(), 0);
	await shot(viewer, 'viewer');
	await settings(viewer);
	assert.equal(await viewer.locator('.cbi-page-actions button:not([disabled])').count(), 0);
	await tab(viewer, 'Accounts');
	await viewer.locator('.cbi-section[data-tab=provider] .cbi-button-edit').first().click();
	await viewer.waitForSelector('.modal .cbi-map');
	assert.equal(await viewer.locator('.modal .cbi-button-positive:not([disabled])').count(), 0);
	await shot(viewer, 'viewer-account');
	await viewer.context().close();
});

test('no script failed on the way', () => {
	assert.deepEqual(troubles, []);
});
