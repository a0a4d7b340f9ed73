// The page in a real LuCI, with a real daemon, in a real browser: make test-luci. browser.mjs says what it needs.

import test, { before, after } from 'node:test';
import assert from 'node:assert';
import { HOST, SECRET, SERVER, apply, button, call, closed, edit, go, login, overview, provider, rootPassword, sent, settings, shot, start, stop, tab, troubles } from './browser.mjs';

const hostile = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>\u0007\u001b[31m' + 'A'.repeat(10000);

let page;
before(async () => { page = await start(); });
after(() => stop(page));

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
	await page.fill('#wb-server', SERVER);
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
	await sent('an update', () => provider.requests.length > n);
	await button(page, 'Update all now').click();
	await again.waitFor();
});

test('pause and resume', async () => {
	await overview(page);
	await button(page.locator('.wb-card'), 'Pause').click();
	await page.locator('.wb-card', { hasText: 'paused' }).waitFor();
	assert.equal((await call(page, 'getConfig')).config.record[0].enabled, false);
	/* what stands at the provider is still said */
	await page.locator('.wb-card', { hasText: /published (just now|\d+ s ago)/ }).waitFor();
	await button(page.locator('.wb-card'), 'Resume').click();
	await button(page.locator('.wb-card'), 'Pause').waitFor();
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
	await apply(page);
	assert.match(JSON.stringify((await call(page, 'getConfig')).config.provider), /127\.0\.0\.1:18080/);
});

test('settings: Save writes, Save & Apply takes over, Reset drops', async () => {
	await settings(page);
	const ttl = async (text) => {
		await tab(page, 'Names');
		await edit(page, 'record');
		await page.locator('.modal [data-name=hostname] input').fill(text);
		await page.locator('.modal .cbi-button-positive').click();
		await closed(page);
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
	await apply(page);
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
	await closed(page);
	await tab(page, 'Names');
	await page.locator('.cbi-section[data-tab=record] td', { hasText: 'renamed' }).waitFor();
	await page.locator('.cbi-section[data-tab=record] [data-name=enabled] input[type=checkbox]').click();
	await tab(page, 'Sources');
	await page.locator('.cbi-section[data-tab=source] .cbi-button-add').click();
	await page.locator('.modal [data-name=_name] input').fill('test-fixed');
	await page.locator('.modal [data-name=method] select').selectOption('static');
	await page.locator('.modal [data-name=ipv4] input').fill('198.51.100.9');
	await page.locator('.modal .cbi-button-positive').click();
	await closed(page);
	await apply(page);

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
	await closed(page);
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
	await sent('an update', () => provider.requests.length > n);
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

test('a browser whose clock is wrong tells the right times', async () => {
	const other = await login('root', rootPassword);
	for (const year of [ 2001, 2041 ]) {
		await other.clock.setFixedTime(new Date(year + '-05-05T05:05:05Z'));
		await overview(other);
		await other.locator('.wb-card', { hasText: /published (just now|\d+ (s|min) ago)/ }).waitFor();
		await go(other, 'status/overview', '.wb-state');
		assert.match(await other.locator('table', { has: other.locator('.wb-state') }).innerText(), /published (just now|\d+ (s|min) ago)/);
	}
	await other.context().close();
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
		const phone = await login('root', rootPassword, { viewport: { width: 360, height: 740 }, colorScheme: scheme });
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
	const dark = await login('root', rootPassword, { colorScheme: 'dark' });
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
