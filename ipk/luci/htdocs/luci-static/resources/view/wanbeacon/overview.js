'use strict';
'require view';
'require poll';
'require dom';
'require ui';
'require view.wanbeacon.parts as parts';
'require view.wanbeacon.logic as logic';
'require view.wanbeacon.assistant as assistant';

/*
 * Overview: a card per name, sources, aliases, the log. All of it is drawn anew from `status` every few seconds; the cards'
 * buttons stay, so that one that is pressed keeps turning.
 */

return view.extend({
	handleSave: null, handleSaveApply: null, handleReset: null,

	load() {
		return Promise.all([
			parts.status(), parts.getConfig(), parts.providers(), L.resolveDefault(parts.log(), { lines: [] })
		]).catch((e) => e);
	},

	render(loaded) {
		if (!Array.isArray(loaded))
			return E('div', {}, [ parts.style(), E('h2', {}, [ _('Dynamic DNS') ]), parts.trouble(loaded) ]);

		this.status = loaded[0];
		this.reply = loaded[1];
		this.providers = loaded[2].providers ?? [];
		this.mayWrite = L.hasViewPermission();
		this.cardNodes = {};

		this.banners = E('div');
		this.main = E('div');
		this.cardBox = E('div', { 'class': 'wb-cards' });
		this.sources = E('div');
		this.aliases = E('div');
		this.logBox = E('div', { 'class': 'wb-log', tabindex: 0, role: 'log', 'aria-label': _('Log') });
		this.version = E('span', { 'class': 'wb-soft' });
		this.headButtons = E('div', { 'class': 'wb-buttons' });

		this.draw();
		this.drawLog(loaded[3]);
		poll.add(() => this.refresh(), 5);

		return E('div', { 'class': 'wb' }, [
			parts.style(),
			E('div', { 'class': 'wb-head' }, [ E('div', {}, [ E('h2', {}, [ _('Dynamic DNS') ]), this.version ]), this.headButtons ]),
			this.banners, this.main,
			this.sources, this.aliases,
			E('h3', {}, [ _('Log') ]), this.logBox
		]);
	},

	refresh() {
		if (document.hidden)
			return Promise.resolve();
		return Promise.all([ parts.status(), parts.log() ]).then((r) => {
			this.status = r[0];
			this.draw();
			this.drawLog(r[1]);
			if (r[0].config?.revision != this.reply.revision)
				return parts.getConfig().then((c) => { this.reply = c; this.draw(); });
		}).catch((e) => dom.content(this.banners, parts.trouble(e)));
	},

	now() {
		return Date.parse(this.status.time) || Date.now();
	},

	draw() {
		const s = this.status, config = this.reply.config;
		const none = config && !config.record.length && !(s.records ?? []).length;

		this.version.textContent = s.running ? _('version %s, running for %s').format(logic.tame(s.version, 30), logic.span(s.uptime_seconds)) : '';
		this.drawBanners(none);

		if (none && this.mayWrite) {
			if (!this.wizard) {
				this.wizard = assistant.create({ providers: this.providers, reply: this.reply, status: s, done: () => this.leaveWizard() });
				dom.content(this.main, this.wizard);
				dom.content(this.headButtons, null);
			}
		}
		else if (!this.wizard) {
			if (!this.cardBox.parentNode) {
				dom.content(this.main, this.cardBox);
				dom.content(this.headButtons, this.mayWrite ? [
					E('button', { 'class': 'btn cbi-button cbi-button-add', click: ui.createHandlerFn(this, 'openWizard') }, [ _('Add a name') ]),
					E('button', { 'class': 'btn cbi-button cbi-button-action', click: ui.createHandlerFn(this, 'update', [], false) }, [ _('Update all now') ])
				] : []);
			}
			this.drawCards(none);
		}
		this.drawSources();
		this.drawAliases();
	},

	drawBanners(none) {
		const s = this.status, all = [];

		if (!s.running)
			all.push(parts.warning([ E('h4', {}, [ _('The service does not run') ]), E('p', {}, [ parts.foreign(s.error ?? '') ]),
				E('p', {}, [ _('Start it at'), ' ', E('a', { href: L.url('admin/system/startup') }, [ _('System → Startup') ]), _(', or by SSH with'), ' ', E('code', {}, [ '/etc/init.d/wanbeacon start' ]) ]) ]));
		const mistakes = (this.reply.errors ?? []).map((e) => (e.line ? _('line %d: ').format(e.line) : '') + e.message);
		const refused = s.config?.error ?? (mistakes.length ? mistakes.join('\n') : null);
		if (refused)
			all.push(parts.warning([ E('h4', {}, [ _('The configuration file has a mistake') ]),
				E('p', {}, [ s.running && s.sources?.length ? _('What was in force before still is.') : '' ]), E('pre', { 'class': 'wb-pre' }, [ parts.foreign(refused, 2000, true) ]),
				E('p', {}, [ E('a', { href: L.url('admin/services/wanbeacon/settings') }, [ _('To the settings') ]) ]) ], 'error'));
		if (none && !this.mayWrite)
			all.push(parts.warning([ _('No name is set up yet. This login may only look.') ], 'info'));

		const sig = JSON.stringify([ s.running, s.error, refused, none ]);
		if (sig != this.bannerSig)
			dom.content(this.banners, all);
		this.bannerSig = sig;
	},

	drawCards(none) {
		const cards = logic.cards(this.status, this.reply.config, this.now());
		const keep = {};

		for (const c of cards) {
			const key = c.hostname + ' ' + c.provider;
			const node = keep[key] = this.cardNodes[key] ?? this.card(c);
			node.className = 'wb-card wb-' + c.tone;
			dom.content(node.firstChild.nextSibling, c.lines.map((l) => this.line(l)));

			const buttons = node.lastChild, sig = [ c.paused, c.blocked ].join();
			if (buttons.getAttribute('data-sig') != sig && !buttons.querySelector('.spinning')) {
				buttons.setAttribute('data-sig', sig);
				dom.content(buttons, this.buttons(c));
			}
		}
		const order = cards.map((c) => keep[c.hostname + ' ' + c.provider]);
		if (order.length != this.cardBox.children.length || order.some((n, i) => this.cardBox.children[i] !== n))
			dom.content(this.cardBox, order);
		if (!order.length && !none && this.status.running)
			dom.content(this.cardBox, E('em', {}, [ _('The service has no names in force.') ]));
		this.cardNodes = keep;
	},

	card(c) {
		const table = this.reply.config?.provider?.[c.provider];
		const p = this.providers.find((x) => x.name == (table?.type ?? c.provider));
		return E('div', { role: 'group', 'aria-label': logic.tame(c.hostname, 253) }, [
			E('div', { 'class': 'wb-title' }, [ E('strong', {}, [ parts.foreign(c.hostname, 253) ]),
				E('span', { 'class': 'wb-soft' }, [ parts.foreign(p && p.title != c.provider && p.name != c.provider ? p.title + ' (' + c.provider + ')' : (p?.title ?? c.provider), 80) ]) ]),
			E('div'),
			E('div', { 'class': 'wb-buttons' })
		]);
	},

	line(l) {
		return E('div', { 'class': 'wb-line' }, [
			E('span', {}, [ logic.familyName(l.family) ]),
			E('div', { 'class': 'wb-' + l.tone }, [
				E('div', { 'class': 'wb-address' }, [
					parts.foreign(l.published ?? '\u2013', 400),
					l.wanted && l.wanted != l.published && l.state != 'disabled' ? ' \u2192 ' + parts.foreign(l.wanted, 400) : '' ]),
				parts.state(l.tone, l.words, l.detail),
				...[ l.since, l.via ].map((t) => t ? E('div', { 'class': 'wb-soft' }, [ parts.foreign(t, 300) ]) : '')
			])
		]);
	},

	buttons(c) {
		if (!this.mayWrite)
			return [];
		const button = (words, fn, ...args) => E('button', { 'class': 'btn cbi-button cbi-button-neutral', click: ui.createHandlerFn(this, fn, ...args) }, [ words ]);
		if (c.paused)
			return [ button(_('Resume'), 'pause', c, false) ];
		return [
			c.blocked ? button(_('Try again'), 'update', [ c.hostname ], true) : button(_('Update now'), 'update', [ c.hostname ], false),
			button(_('Verify now'), 'verify', c.hostname),
			button(_('Pause'), 'pause', c, true)
		];
	},

	update(hostnames, force) {
		return parts.update(hostnames, force).then(parts.checked).then((s) => {
			this.status = s;
			this.draw();
			const mine = s.records.filter((r) => !hostnames.length || hostnames.indexOf(r.hostname) >= 0);
			const fresh = mine.filter((r) => r.state == 'published');
			if (!force && fresh.length && fresh.length == mine.filter((r) => r.state != 'disabled').length)
				parts.toast([ _('Nothing to send: the provider has the address already.'), ' ',
					E('button', { 'class': 'btn cbi-button', click: ui.createHandlerFn(this, 'update', hostnames, true) }, [ _('Send it all the same') ]) ]);
		}).catch(parts.fail);
	},

	verify(hostname) {
		return parts.verify([ hostname ]).then(parts.checked).then(() => parts.status()).then((s) => {
			this.status = s;
			this.draw();
			const mine = s.records.filter((r) => r.hostname == hostname);
			ui.showModal(_('What the world sees of %s').format(parts.esc(hostname)), [
				E('div', {}, mine.map((r) => {
					const d = logic.describe(Object.assign({}, r), this.now());
					return E('div', { 'class': 'wb-field' }, [
						E('label', {}, [ logic.familyName(r.family) + ' ', E('span', { 'class': 'wb-address' }, [ parts.foreign(logic.addresses(r, 'published') ?? '\u2013', 400) ]) ]),
						E('div', { 'class': 'wb-' + d.tone }, [ parts.state(d.tone, d.words, d.detail) ]),
						r.delegation?.length ? E('div', { 'class': 'wb-soft' }, [ _('Name servers: %s').format(parts.foreign(r.delegation.join(', '), 600)) ]) : ''
					]);
				})),
				E('div', { 'class': 'right' }, [ E('button', { 'class': 'btn', click: ui.hideModal }, [ _('Close') ]) ])
			]);
		}).catch(parts.fail);
	},

	/* The file is the truth, so pausing is an edit of it, based on what it is now. */
	pause(card, paused) {
		return parts.getConfig().then(parts.checked).then((reply) => {
			const n = logic.recordIndex(reply.config, card.hostname, card.provider);
			if (n < 0)
				throw new Error(_('This name is not in the configuration file any more.'));
			return parts.setConfig(reply.revision, [ { table: 'record[' + n + ']', set: { enabled: paused ? false : null } } ], false, true);
		}).then(parts.checked).then((r) => {
			if (!r.saved)
				throw new Error((r.errors ?? []).map((e) => e.message).join('; ') || _('The configuration file has just been changed by somebody else.'));
			return this.refresh();
		}).catch(parts.fail);
	},

	openWizard() {
		return parts.getConfig().then((reply) => {
			this.reply = reply;
			this.wizard = assistant.create({ providers: this.providers, reply: reply, status: this.status, done: () => this.leaveWizard() });
			dom.content(this.main, this.wizard);
			dom.content(this.headButtons, null);
		}).catch(parts.fail);
	},

	leaveWizard() {
		this.wizard = null;
		dom.content(this.main, null);
		return parts.getConfig().then((c) => { this.reply = c; return this.refresh(); });
	},

	drawSources() {
		const rows = (this.status.sources ?? []).map((s) => E('tr', { 'class': 'tr' }, [
			E('td', { 'class': 'td', 'data-title': _('Source') }, [ parts.foreign(s.name, 60) ]),
			E('td', { 'class': 'td', 'data-title': _('Address') }, [ s.address ? E('span', { 'class': 'wb-address' }, [ parts.foreign(s.address, 60) ]) : E('em', {}, [ _('no %s address').format(logic.familyName(s.family)) ]) ]),
			E('td', { 'class': 'td', 'data-title': _('Why') }, [ [ s.interface ? _('on %s').format(parts.foreign(s.interface, 30)) : null,
				s.method == 'static' ? _('always the same') : s.method && s.method != 'interface' ? _('by %s').format(parts.foreign(s.method, 30)) : null, s.note ? parts.foreign(s.note, 300) : null ].filter((x) => x).join('; ') || '\u2013' ])
		]));
		const sig = JSON.stringify(this.status.sources ?? []);
		if (sig == this.sourceSig)
			return;
		this.sourceSig = sig;
		dom.content(this.sources, rows.length ? [
			E('div', { 'class': 'wb-head' }, [ E('h3', {}, [ _('Addresses') ]),
				E('button', { 'class': 'btn cbi-button', click: ui.createHandlerFn(this, 'showAddresses') }, [ _('All candidates') ]) ]),
			E('table', { 'class': 'table wb-table' }, [ E('tr', { 'class': 'tr table-titles' }, [ _('Source'), _('Address'), _('Why') ].map((t) => E('th', { 'class': 'th' }, [ t ]))) ].concat(rows))
		] : null);
	},

	showAddresses() {
		return parts.addresses().then(parts.checked).then((a) => {
			ui.showModal(_('Which address is taken, and why not the others'), (a.sources ?? []).map((s) => E('div', {}, [
				E('h5', {}, [ parts.foreign(s.name, 60) ]),
				E('table', { 'class': 'table wb-table' }, (s.candidates ?? []).map((c) => E('tr', { 'class': 'tr' }, [
					E('td', { 'class': 'td' }, [ E('span', { 'class': 'wb-address' }, [ parts.foreign(c.address, 60) ]) ]),
					E('td', { 'class': 'td' }, [ parts.foreign(c.interface ?? '', 30) ]),
					E('td', { 'class': 'td wb-' + (c.taken ? 'ok' : 'off') }, [ parts.state(c.taken ? 'ok' : 'off', c.taken ? _('taken') : (c.reason ?? ''), null) ])
				])))
			])).concat(E('div', { 'class': 'right' }, [ E('button', { 'class': 'btn', click: ui.hideModal }, [ _('Close') ]) ])));
		}).catch(parts.fail);
	},

	drawAliases() {
		const rows = (this.status.aliases ?? []).map((a) => {
			const d = logic.describeAlias(a, this.now());
			return E('tr', { 'class': 'tr' }, [
				E('td', { 'class': 'td', 'data-title': _('Alias') }, [ parts.foreign(a.hostname, 253) ]),
				E('td', { 'class': 'td', 'data-title': _('Leads to') }, [ parts.foreign(a.target ?? '\u2013', 253) ]),
				E('td', { 'class': 'td wb-' + d.tone, 'data-title': _('State') }, [ parts.state(d.tone, d.words, d.detail) ])
			]);
		});
		const sig = JSON.stringify(this.status.aliases ?? []);
		if (sig == this.aliasSig)
			return;
		this.aliasSig = sig;
		dom.content(this.aliases, rows.length ? [ E('h3', {}, [ _('Aliases') ]), E('table', { 'class': 'table wb-table' },
			[ E('tr', { 'class': 'tr table-titles' }, [ _('Alias'), _('Leads to'), _('State') ].map((t) => E('th', { 'class': 'th' }, [ t ]))) ].concat(rows)) ] : null);
	},

	drawLog(log) {
		const lines = log?.lines ?? [];
		const sig = lines.length ? JSON.stringify(lines[lines.length - 1]) + lines.length : '';
		if (sig == this.logSig && this.logBox.firstChild)
			return;
		this.logSig = sig;
		const box = this.logBox, atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 30;
		dom.content(box, lines.length ? lines.map((l) => E('div', { 'class': { error: 'wb-bad', warning: 'wb-warn', debug: 'wb-soft' }[l.level] ?? '' }, [
			E('time', { datetime: l.time, title: l.time }, [ new Date(l.time).toLocaleTimeString([], { hour12: false }) ]), parts.foreign(l.text, 600) ]))
			: E('em', {}, [ _('Nothing has happened yet.') ]));
		if (atEnd)
			window.requestAnimationFrame(() => { box.scrollTop = box.scrollHeight; });
	}
});
