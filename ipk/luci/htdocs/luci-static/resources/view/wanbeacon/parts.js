'use strict';
'require baseclass';
'require rpc';
'require ui';
'require dom';
'require view.wanbeacon.logic as logic';

/*
 * What the views share: the calls of the ubus object, the style sheet, and pieces of markup.
 *
 * Everything that a provider, the DNS or a file said is foreign. It goes through E() in an array, which makes a text node of
 * it; a bare string as E()'s content would be read as HTML. Titles of LuCI's forms and dialogs are HTML too: esc() them.
 */

/*
 * One call after another: rpcd closes the pipes of a plugin's process twice, so two that overlap can lose their replies
 * ("No data received", code 5). Against other windows, what only reads is asked a second time.
 */
let turn = Promise.resolve();

function call(method, params, writes) {
	const fn = rpc.declare({ object: 'wanbeacon', method: method, params: params, expect: {}, reject: true, nobatch: true });
	return (...args) => {
		const once = () => fn(...args);
		const result = turn.then(once).catch((e) => (!writes && /code 5\b/.test(e?.message)) ? once() : Promise.reject(e));
		turn = result.catch(() => {});
		return result;
	};
}

const css = `
:root { --wb-red: #c00; --wb-amber: #946200 } :root[data-darkmode=true] { --wb-red: #ff7b72; --wb-amber: #e0a030 }
.wb-head { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between }
.wb-head h2 { margin: 0 }
.wb-buttons { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center }
.wb-buttons .btn { margin: 0 }
.wb-cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 23rem), 1fr)); gap: 1rem; margin: 1rem 0 1.5rem }
.wb-card { display: flex; flex-direction: column; gap: .55rem; min-width: 0; padding: .8rem 1rem; border: 1px solid var(--border-color-medium, #ccc);
  border-left: 4px solid var(--wb-tone); border-radius: 4px; background: var(--background-color-high, transparent) }
.wb-card .wb-buttons { margin-top: auto; padding-top: .3rem }
.wb-title { display: flex; flex-wrap: wrap; gap: 0 .6rem; align-items: baseline; justify-content: space-between; min-width: 0 }
.wb-title strong { font-size: 115%; overflow-wrap: anywhere }
.wb-soft { font-size: 92%; overflow-wrap: anywhere }
.wb-soft, .wb-line > :first-child { opacity: .8 }
.wb-line { display: grid; grid-template-columns: 2.9rem minmax(0, 1fr); gap: 0 .5rem }
.wb-address { font-family: monospace; font-size: 108%; overflow-wrap: anywhere }
.wb-state { overflow-wrap: anywhere }
.wb-state::before { content: ""; display: inline-block; width: .62em; height: .62em; margin-right: .45em; border-radius: 50%; background: var(--wb-tone) }
.wb-busy.wb-state::before { animation: wb-pulse 1.2s ease-in-out infinite }
@keyframes wb-pulse { 50% { opacity: .25 } }
@media (prefers-reduced-motion: reduce) { .wb-busy.wb-state::before { animation: none } }
.wb-ok { --wb-tone: var(--success-color-medium, #009a4c) } .wb-busy { --wb-tone: var(--primary-color-high, #1976d2) }
.wb-warn { --wb-tone: var(--wb-amber) } .wb-bad { --wb-tone: var(--wb-red) } .wb-off { --wb-tone: #999 }
.modal [data-name=method] select { width: auto; max-width: 100% }
.item .wb-up { padding: 0 .4em; margin: 0 .5em 0 0; line-height: 1.4 } .item:first-child .wb-up { visibility: hidden }
.wb-log { max-height: 18rem; overflow: auto; padding: .5rem .7rem; border: 1px solid var(--border-color-medium, #ccc); border-radius: 4px;
  background: var(--background-color-low, transparent); font: 12px/1.55 monospace }
.wb-log div { white-space: pre-wrap; overflow-wrap: anywhere; padding-left: 5.2em; text-indent: -5.2em }
.wb-log time { margin-right: .7em }
.wb-log .wb-warn, .wb-log .wb-bad { color: var(--wb-tone) }
.wb-table { width: 100%; margin-bottom: 1.5rem }
.wb-table .td, .wb-table .th { overflow-wrap: anywhere; min-width: 8em }
.wb-table .wb-address { overflow-wrap: break-word }
.wb-wizard { max-width: 44rem; margin: 1rem 0 1.5rem }
.wb-wizard h3 { margin-top: 1.2rem }
.wb-pick { width: 100% !important; max-width: none !important; box-sizing: border-box }
.wb-found { max-height: 19rem; overflow: auto; margin-top: .4rem; border: 1px solid var(--border-color-medium, #ccc); border-radius: 4px }
.wb-found button { display: block; width: 100%; margin: 0; padding: .45rem .8rem; border: 0; border-radius: 0; text-align: left; font: inherit; line-height: 1.4;
  white-space: normal; color: inherit; background: transparent; cursor: pointer; box-shadow: none }
.wb-found button + button { border-top: 1px solid var(--border-color-low, #eee) }
.wb-found button:hover, .wb-found button:focus { background: var(--background-color-low, #eee) }
.wb-found em { display: block; padding: .6rem .8rem }
.wb-chosen { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; justify-content: space-between; padding: .5rem .8rem;
  border: 1px solid var(--border-color-medium, #ccc); border-radius: 4px }
.wb-notes { margin: .5rem 0 0 1.1rem; font-size: 92% }
.wb-notes li { color: inherit; overflow-wrap: anywhere }
.wb-field { margin-top: .9rem }
.wb-field > label { display: block; font-weight: bold; margin-bottom: .2rem; text-align: left }
.wb-field input[type=text], .wb-field input[type=password], .wb-field select, .wb-field textarea { width: 100%; max-width: 26rem; box-sizing: border-box }
.wb-error { color: var(--wb-red); overflow-wrap: anywhere }
.wb-steps { margin: 1rem 0; font-size: 108% }
.wb-steps > div { margin: .5rem 0 }
.wb-done.wb-state::before { content: "\\2714"; width: auto; height: auto; background: none; color: var(--wb-tone) }
.wb-pre { max-height: 20rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere }
@media (max-width: 600px) { .wb-card { padding: .7rem .8rem } .wb-buttons .btn { flex: 1 1 auto } .wb-log div { padding-left: 1em; text-indent: -1em } }
`;

/* For titles of forms and dialogs, which are HTML. */
function esc(text) {
	return '%h'.format(logic.tame(text, 500));
}

/* A text node's worth of foreign text. */
function foreign(text, max, lines) {
	return logic.tame(text, max, lines);
}

function link(url) {
	return /^https?:\/\/[^\s]+$/.test(url)
		? E('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, [ url.replace(/^https?:\/\//, '').replace(/\/$/, '') ])
		: E('span', {}, [ foreign(url) ]);
}

function state(tone, words, detail, done) {
	return E('div', {}, [
		E('span', { 'class': 'wb-state wb-' + tone + (done ? ' wb-done' : '') }, [ foreign(words) ]),
		detail ? E('div', { 'class': 'wb-soft' }, [ foreign(detail, 300) ]) : ''
	]);
}

function warning(children, kind) {
	return E('div', { 'class': 'alert-message ' + (kind ?? 'warning') }, children);
}

/* A short message that goes by itself. */
function toast(children, kind) {
	const p = E('p', {}, children);
	/* 23.05 has none that go */
	return ui.addTimeLimitedNotification ? ui.addTimeLimitedNotification(null, p, 8000, kind ?? 'info') : ui.addNotification(null, p, kind ?? 'info');
}

/* The page's only answer to a call that rejects: what is wrong, and what to do. */
function trouble(error) {
	switch (logic.trouble(error)) {
	case 'missing':
		return warning([ E('h4', {}, [ _('The router does not answer for wanbeacon') ]), E('p', {}, [
			_('Its remote procedure service (rpcd) has no object "wanbeacon". After an installation it may need to be told: log in by SSH and run'), ' ',
			E('code', {}, [ '/etc/init.d/rpcd reload' ]), _(', then log in here again. If that does not help, the package wanbeacon itself is not installed.')
		]) ], 'error');
	case 'denied':
		return warning([ E('h4', {}, [ _('This login may not see it') ]), E('p', {}, [
			_('The page was installed after you had logged in, or your account has no right to it. Log out and in again.') ]) ], 'error');
	}
	return warning([ E('h4', {}, [ _('The router did not answer') ]), E('p', {}, [ foreign(error?.message ?? error) ]) ], 'error');
}

/* Rejects if the reply is an error, so that one catch serves both. */
function checked(reply) {
	return reply?.error ? Promise.reject(new Error(reply.error)) : reply;
}

/*
 * A search field and what it finds; choose(provider) is called with the one picked. accounts are configured ones, shown first:
 * [{title, sub, value}], for which choose(null, value) is called.
 */
function picker(providers, choose, accounts) {
	const found = E('div', { 'class': 'wb-found' });
	const row = (title, sub, fn) => E('button', { type: 'button', click: (ev) => { ev.preventDefault(); fn(); } }, [
		E('strong', {}, [ foreign(title, 100) ]), E('div', { 'class': 'wb-soft' }, [ foreign(sub, 120) ]) ]);
	const show = () => {
		const words = input.value.trim();
		const list = logic.search(providers, words);
		const own = words ? [] : (accounts ?? []);
		dom.content(found, own.map((a) => row(a.title, a.sub, () => choose(null, a.value)))
			.concat(list.map((p) => row(p.title, logic.limits(p), () => choose(p)))));
		if (!own.length && !list.length)
			dom.content(found, E('em', {}, [ _('Nothing found. "Your own URL" takes any provider that is updated by opening a web address.') ]));
		found.scrollTop = 0;
	};
	const input = E('input', { type: 'text', 'class': 'cbi-input-text wb-pick', placeholder: _('Search: name of the provider, or your host name'),
		'aria-label': _('Provider'), autocomplete: 'off', spellcheck: 'false', input: show, keydown: (ev) => {
			if (ev.key == 'Enter') { ev.preventDefault(); found.querySelector('button')?.click(); }
			if (ev.key == 'ArrowDown') { ev.preventDefault(); found.querySelector('button')?.focus(); }
		} });
	found.addEventListener('keydown', (ev) => {
		const next = ev.key == 'ArrowDown' ? ev.target.nextElementSibling : ev.key == 'ArrowUp' ? (ev.target.previousElementSibling ?? input) : null;
		if (next) { ev.preventDefault(); next.focus(); }
	});
	show();
	/* once it is on the page, and only if nobody is typing elsewhere by then */
	window.setTimeout(() => { if (!document.activeElement?.matches('input, textarea, select')) input.focus(); }, 0);
	return E('div', {}, [ input, found ]);
}

/* What a user must know of a provider: notes, limits, where it is documented. */
function about(p) {
	const items = (p.notes ?? []).map((n) => E('li', {}, [ foreign(n, 400) ]));
	if (p.min_interval_seconds > 0)
		items.push(E('li', {}, [ _('At most one update of a name in %s.').format(logic.span(p.min_interval_seconds)) ]));
	if (!p.verify)
		items.push(E('li', {}, [ _('Whether the world sees an update cannot be verified here.'), ' ', foreign(p.unverifiable ?? '') ]));
	for (const d of p.documentation ?? [])
		items.push(E('li', {}, [ link(d) ]));
	return items.length ? E('ul', { 'class': 'wb-notes' }, items) : '';
}

return baseclass.extend({
	status: call('status'),
	addresses: call('addresses'),
	log: call('log'),
	providers: call('providers', [ 'name' ]),
	getConfig: call('get_config'),
	setConfig: call('set_config', [ 'revision', 'tables', 'check', 'reload' ], true),
	update: call('update', [ 'hostnames', 'force' ], true),
	verify: call('verify', [ 'hostnames' ], true),
	importDdns: call('import_ddns_scripts', [ 'apply', 'revision' ], true),

	style: () => E('style', {}, [ css ]),
	esc: esc, foreign: foreign, link: link, state: state, warning: warning, toast: toast, trouble: trouble, checked: checked,
	picker: picker, about: about,

	/* Shows what went wrong above the page; for catch(). */
	fail: (error) => ui.addNotification(null, E('p', {}, [ foreign(error?.message ?? error) ]), 'error')
});
