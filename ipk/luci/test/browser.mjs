// What the tests of the page in a browser share: the router, a provider, a browser. make test-luci runs them.
//
//   WANBEACON_LUCI_URL       such as http://192.168.1.1; a router with both packages, no name configured, and an IPv4 address
//   WANBEACON_LUCI_PASSWORD  of root; default: none
//   WANBEACON_LUCI_VIEWER    NAME:PASSWORD of a login that may only look; without it those tests say that they did not run
//   WANBEACON_LUCI_SHELL     a command that runs a shell script from its standard input on the router, such as
//                            "ssh root@192.168.1.1 sh"; without it the tests that look into the file say that they did not run
//   WANBEACON_LUCI_SHOTS     a directory for pictures; default: none are taken
//   WANBEACON_LUCI_CHROMIUM  default /usr/bin/chromium
//
// The provider is this program, at the router's own 127.0.0.1:18080: run it on the router's machine, or lead the port here
// with `ssh -R 18080:127.0.0.1:18080 root@router`. What it configures it takes out again.

import assert from 'node:assert';
import http from 'node:http';
import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';

export const base = (process.env.WANBEACON_LUCI_URL ?? '').replace(/\/$/, '');
if (!base)
	throw new Error('WANBEACON_LUCI_URL is not set; the head of browser.mjs says what is needed');
const shots = process.env.WANBEACON_LUCI_SHOTS;
export const HOST = 'luci-test.ddns.net', SECRET = 'S3cret-of-the-test', SERVER = 'http://127.0.0.1:18080';
export const rootPassword = process.env.WANBEACON_LUCI_PASSWORD ?? '';
const patience = +(process.env.WANBEACON_LUCI_PATIENCE ?? 60) * 1000;

/*
 * The provider: dyndns2; deSEC's interface, for aliases; a page that tells the address; and one that notifications go to.
 * requests: {method, url, password, body}.
 */
export const provider = { requests: [], answer: 'good' };
const server = http.createServer(async (req, res) => {
	let body = '';
	for await (const chunk of req)
		body += chunk;
	const password = Buffer.from((req.headers.authorization ?? '').slice(6), 'base64').toString().split(':')[1];
	provider.requests.push({ method: req.method, url: req.url, password: password, body: body });
	if (req.method == 'PATCH')
		res.end(body);
	else if (req.url == '/address')
		res.end('<p>Your address: 203.0.113.99</p>');
	else if (req.method == 'POST')
		res.end('');
	else
		res.end(password == 'wrong' ? 'badauth' : provider.answer == 'good' ? 'good ' + new URL(req.url, base).searchParams.get('myip') : provider.answer);
});

/* Waits until good(request) of one of the provider's requests. */
export const sent = (what, good) => new Promise((resolve, reject) => {
	const end = Date.now() + patience;
	const look = () => {
		const found = provider.requests.find(good);
		if (found)
			resolve(found);
		else if (Date.now() > end)
			reject(new Error('the provider did not get ' + what + ', but ' + JSON.stringify(provider.requests).slice(0, 2000)));
		else
			setTimeout(look, 100);
	};
	look();
});

export const shell = process.env.WANBEACON_LUCI_SHELL;
export const run = (script) => execFileSync('/bin/sh', [ '-c', shell ], { input: script, encoding: 'utf8' });

let browser;
export const troubles = [];

export async function login(user, password, options) {
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

export const go = async (page, where, selector) => {
	await page.goto(base + '/cgi-bin/luci/admin/' + where);
	await page.waitForSelector(selector);
};
export const overview = (page) => go(page, 'services/wanbeacon/overview', '.wb-log');
export const settings = (page) => go(page, 'services/wanbeacon/settings', '.cbi-map-tabbed');
/* through the page's own queue: rpcd mixes up calls that overlap */
export const call = (page, method, ...args) => page.evaluate(([ m, a ]) => L.require('view.wanbeacon.parts').then((x) => x[m](...a)), [ method, args ]);
export const shot = async (page, name) => { if (shots) await page.screenshot({ path: shots + '/' + name + '.png', fullPage: true }); };
export const button = (scope, words) => scope.locator('button', { hasText: words }).first();
export const tab = (page, words) => page.locator('.cbi-tabmenu a', { hasText: words }).first().click();
export const edit = async (page, type) => {
	await page.locator(`.cbi-section[data-tab=${type}] .cbi-button-edit`).first().click();
	await page.waitForSelector('.modal .cbi-map');
};
export const closed = (page) => page.waitForSelector('body:not(.modal-overlay-active)');
export const apply = async (page) => {
	/* a notice of an earlier time may still be there */
	await page.locator('.alert-message', { hasText: 'in force' }).evaluateAll((all) => all.forEach((e) => e.remove()));
	await page.locator('.cbi-page-actions .cbi-button-apply').click();
	await page.locator('.alert-message', { hasText: 'in force' }).waitFor();
};

/* Takes out what these tests made. */
export async function clean(page) {
	const c = await call(page, 'getConfig');
	const tables = [];
	for (const type of [ 'record', 'alias' ])
		c.config[type].forEach((r, i) => { if (/\bluci-test\./.test(r.hostname)) tables.push({ table: `${type}[${i}]`, remove: true }); });
	for (const name of Object.keys(c.config.provider).filter((n) => c.config.provider[n].server == SERVER || n.startsWith('test-')))
		tables.push({ table: 'provider.' + name, remove: true });
	for (const name of Object.keys(c.config.source).filter((n) => n.startsWith('test-')))
		tables.push({ table: 'source.' + name, remove: true });
	if (tables.length)
		assert.ok((await call(page, 'setConfig', c.revision, tables, false, true)).saved);
}

/* A page of root's, on the overview of a router without names. */
export async function start() {
	await new Promise((resolve) => server.listen(18080, '127.0.0.1', resolve));
	browser = await chromium.launch({ executablePath: process.env.WANBEACON_LUCI_CHROMIUM ?? '/usr/bin/chromium', args: [ '--no-sandbox' ] });
	const page = await login('root', rootPassword);
	await clean(page);
	const c = await call(page, 'getConfig');
	assert.equal(c.config.record.length, 0, 'this router has names of its own; the tests want one without');
	await overview(page);
	return page;
}

export async function stop(page) {
	if (page)
		await clean(page);
	await browser?.close();
	server.close();
}
