'use strict';
'require baseclass';
'require dom';
'require ui';
'require view.wanbeacon.parts as parts';
'require view.wanbeacon.logic as logic';
'require view.wanbeacon.tables as tables';

/*
 * From nothing to a name that the world sees: pick the provider, fill in what that one needs and the name, watch. It writes the
 * same tables as the settings page. A second try after a refusal edits what the first one wrote.
 */

/* One input of the assistant: {node, value(), fail(message)}. f is a field of `providers`. */
function field(f, value) {
	const id = 'wb-' + f.key;
	const error = E('div', { id: id + '-error', 'class': 'wb-error', role: 'alert' });
	const help = f.help ? E('div', { id: id + '-help', 'class': 'wb-soft' }, [ parts.foreign(f.help, 400) ]) : '';
	const attr = { id: id, 'aria-required': f.required || null, 'class': 'cbi-input-text', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none',
		placeholder: f.placeholder ? _('such as %s').format(logic.tame(f.placeholder, 80)) : null };
	let input;

	if (f.choices?.length)
		input = E('select', { id: id, 'class': 'cbi-input-select' }, (f.required ? [] : [ '' ]).concat(f.choices)
			.map((c) => E('option', { value: c, selected: (c == (value ?? '')) || null }, [ c || _('default: %s').format(f.default ?? '\u2013') ])));
	else if (f.lines)
		input = E('textarea', Object.assign(attr, { rows: 5 }), [ value ?? '' ]);
	else
		input = E('input', Object.assign(attr, { type: f.secret ? 'password' : 'text', value: value ?? null }));
	if (f.secret && !f.lines)
		input.setAttribute('autocomplete', 'new-password');

	const show = f.secret && !f.lines ? E('button', { type: 'button', 'class': 'btn cbi-button', title: _('Show what is typed'), 'aria-label': _('Show what is typed'), click: (ev) => {
		ev.preventDefault();
		input.type = input.type == 'password' ? 'text' : 'password';
	} }, [ '\u2217' ]) : '';

	input.setAttribute('aria-describedby', id + '-error ' + id + '-help');
	input.addEventListener('input', () => { dom.content(error, null); input.classList.remove('cbi-input-invalid'); input.removeAttribute('aria-invalid'); });
	return {
		key: f.key,
		node: E('div', { 'class': 'wb-field' }, [
			E('label', { 'for': id }, [ parts.foreign(logic.label(f), 100) ]), input, show,
			help, error ]),
		value: () => f.lines ? input.value : input.value.trim(),
		focus: () => input.focus(),
		fail: (message) => {
			input.classList.add('cbi-input-invalid');
			input.setAttribute('aria-invalid', true);
			dom.content(error, [ parts.foreign(message, 400) ]);
			if (input.closest('details'))
				input.closest('details').open = true;
			input.focus();
		}
	};
}

const Assistant = baseclass.extend({
	/* o: {providers, reply (of get_config), status, done()} */
	__init__(o) {
		Object.assign(this, o);
		this.node = E('div', { 'class': 'wb-wizard' });
		this.first = !this.reply.config?.record.length;
		this.values = {};
		this.pick();
		if (this.first)
			this.offerImport();
	},

	draw(...children) {
		dom.content(this.node, children);
	},

	pick() {
		const config = this.reply.config;
		const accounts = Object.keys(config?.provider ?? {}).map((name) => {
			const type = config.provider[name].type ?? name;
			const p = this.providers.find((x) => x.name == type);
			return { title: name, sub: _('an account that is set up already: %s').format(p?.title ?? type), value: name };
		});
		this.importBox = this.importBox ?? E('div');
		this.draw(
			this.first ? E('p', {}, [ _('A dynamic DNS provider keeps a name such as home.example.net for you; from here on this router keeps its address right.') ]) : '',
			E('h3', {}, [ this.first ? _('Who is your provider?') : _('Add a name: who is the provider?') ]),
			parts.picker(this.providers, (p, account) => this.fill(p, account), accounts),
			this.importBox,
			this.first ? '' : E('p', { 'class': 'right' }, [ E('button', { 'class': 'btn', click: () => this.done() }, [ _('Cancel') ]) ])
		);
	},

	/* The form. p: the provider chosen; account: instead, the name of one that is configured. */
	fill(p, account) {
		const type = account ? (this.reply.config.provider[account].type ?? account) : null;
		this.p = p ?? this.providers.find((x) => x.name == type) ?? { name: type, title: account, fields: [], families: [ 'ipv4', 'ipv6' ], verify: true };
		this.account = account ?? null;

		const specs = account ? [] : this.p.fields.slice();
		if (!account && this.p.server && this.p.server != 'none' && !specs.some((f) => f.key == 'server'))
			specs.push({ key: 'server', label: _('Server'), required: this.p.server == 'required',
				help: this.p.server == 'required' ? _('the address of your own server, such as https://dyn.example.net') : _('only if you run the service yourself: its address instead of the provider\'s') });

		const make = (f) => field(Object.assign({ placeholder: f.secret ? null : this.p.sample?.values?.[f.key] }, f), this.values[f.key]);
		/* A provider none of whose fields is required, such as one's own URL, shows the first ones. */
		const must = specs.some((f) => f.required) ? specs.filter((f) => f.required) : specs.filter((f) => f.key != 'server').slice(0, 4);
		const may = specs.filter((f) => must.indexOf(f) < 0);
		this.fields = must.map(make);
		const more = may.map(make);

		this.host = field({ key: 'hostname', label: _('Host name'), placeholder: this.p.sample?.hostname,
			help: this.p.can_create ? _('it is made if it is not there yet') : _('as you have registered it at the provider') }, this.values.hostname);
		this.v6 = E('input', { type: 'checkbox', id: 'wb-v6', checked: this.values.v6 || null });
		const six = (this.p.families ?? []).indexOf('ipv6') >= 0;
		const sixHere = (this.status.sources ?? []).find((s) => s.family == 'ipv6' && s.address)?.address;

		this.trouble = E('div', { 'class': 'wb-error', role: 'alert' });
		this.draw(
			E('h3', {}, [ account ? _('The new name') : _('Your account and name') ]),
			E('div', { 'class': 'wb-chosen' }, [ E('strong', {}, [ parts.foreign(account ?? this.p.title, 100) ]),
				E('button', { 'class': 'btn cbi-button', click: () => { this.remember(); this.pick(); } }, [ _('Another provider') ]) ]),
			parts.about(this.p),
			E('form', { submit: (ev) => { ev.preventDefault(); this.node.querySelector('.cbi-button-apply')?.click(); } }, [
				E('div', {}, this.fields.map((f) => f.node)),
				this.host.node,
				six ? E('div', { 'class': 'wb-field' }, [ this.v6, ' ', E('label', { 'for': 'wb-v6', style: 'display:inline' }, [
					sixHere ? _('Publish the IPv6 address too: %s').format(logic.tame(sixHere, 60)) : _('Publish an IPv6 address too') ]) ]) : '',
				more.length ? E('details', { 'class': 'wb-field' }, [ E('summary', {}, [ _('More settings of this provider') ]) ].concat(more.map((f) => f.node))) : '',
				this.trouble,
				E('div', { 'class': 'wb-field wb-buttons' }, [
					E('button', { type: 'button', 'class': 'btn cbi-button cbi-button-apply important', click: ui.createHandlerFn(this, 'publish') }, [ _('Save and publish') ]),
					E('button', { type: 'button', 'class': 'btn cbi-button', click: () => this.first && !this.written ? this.pick() : this.done() }, [ this.first && !this.written ? _('Back') : _('Cancel') ])
				])
			])
		);
		this.fields = this.fields.concat(more);
		(this.fields[0] ?? this.host).focus();
	},

	remember() {
		for (const f of (this.fields ?? []).concat(this.host ?? []))
			this.values[f.key] = f.value();
		this.values.v6 = this.v6?.checked;
	},

	/* The tables to write. What an earlier try wrote is edited: no second account, no second record. */
	tables() {
		const own = this.written, config = this.reply.config;
		const set = {}, out = [];
		const name = this.account ?? own?.name ?? logic.freeName(Object.keys(config?.provider ?? {}), this.p.name);

		if (!this.account) {
			const was = config?.provider?.[name] ?? {};
			if ((was.type ?? name) != this.p.name)
				set.type = this.p.name;
			for (const f of this.fields) {
				const v = f.value();
				if (v !== '')
					set[f.key] = v;
				else if (own && f.key in was && !tables.isStored(was[f.key]))
					set[f.key] = null;
			}
			if (own)
				for (const key in was)
					if (key != 'type' && !this.fields.some((f) => f.key == key))
						set[key] = null;
			out.push({ table: 'provider.' + name, set: set });
		}
		const record = { hostname: this.host.value(), provider: name };
		if (this.v6.checked)
			record.families = [ 'ipv4', 'ipv6' ];
		else if (own)
			record.families = null;
		const n = own ? logic.recordIndex(config, own.hostname, own.provider) : -1;
		out.push({ table: n < 0 ? 'record' : 'record[' + n + ']', set: record });
		return { tables: out, name: name, hostname: record.hostname, records: config?.record?.length ?? 0 };
	},

	publish() {
		let bad = null;
		dom.content(this.trouble, null);
		for (const f of this.fields) {
			const spec = this.p.fields?.find((x) => x.key == f.key) ?? {};
			const stored = this.written && tables.isStored(this.reply.config?.provider?.[this.written.name]?.[f.key]);
			if ((spec.required || (f.key == 'server' && this.p.server == 'required')) && f.value() === '' && !stored && !bad)
				bad = [ f, _('This is needed') ];
		}
		const wrong = logic.hostnameError(this.host.value());
		if (!bad && wrong)
			bad = [ this.host, wrong ];
		if (bad) {
			bad[0].fail(bad[1]);
			return;
		}
		this.remember();

		return parts.getConfig().then(parts.checked).then((reply) => {
			if (!reply.config)
				throw new Error(_('The configuration file cannot be read: %s').format(reply.errors?.[0]?.message ?? ''));
			this.reply = reply;
			const w = this.tables();
			return parts.setConfig(reply.revision, w.tables, false, true).then(parts.checked).then((r) => {
				if (!r.saved)
					return this.refused(r, w);
				this.written = { name: w.name, provider: w.name, hostname: w.hostname };
				this.watch(r);
			});
		}).catch((e) => dom.content(this.trouble, [ parts.foreign(e?.message ?? e) ]));
	},

	/* The daemon's errors, each at its field; what belongs to none, below. */
	refused(r, w) {
		const rest = [];
		for (const e of r.errors ?? []) {
			const key = String(e.key ?? '');
			const f = key.indexOf('provider.' + w.name + '.') == 0
				? this.fields.find((x) => key.slice(10 + w.name.length).split(/[[.]/)[0] == x.key)
				: /^record\[\d+\]\.hostname/.test(key) ? this.host : null;
			if (f)
				f.fail(e.message);
			else
				rest.push(e.message);
		}
		if (r.stale)
			rest.push(_('The configuration file has just been changed by somebody else. Try again.'));
		dom.content(this.trouble, rest.map((m) => E('div', {}, [ parts.foreign(m) ])));
	},

	/* Live: asks every second until the world sees it, the provider refuses it, or the user leaves. */
	watch(saved) {
		const steps = E('div', { 'class': 'wb-steps', role: 'status' });
		const buttons = E('div', { 'class': 'wb-buttons' });
		const started = Date.now();
		let timer = null, last = null;
		const leave = (fn) => () => { window.clearTimeout(timer); timer = -1; fn(); };
		const back = E('button', { 'class': 'btn cbi-button', click: leave(() => this.fill(this.account ? null : this.p, this.account)) }, [ _('Correct something') ]);
		const finish = E('button', { 'class': 'btn cbi-button', click: leave(() => this.done()) }, [ _('To the overview') ]);

		this.draw(E('h3', {}, [ parts.foreign(this.written.hostname, 253) ]), steps, buttons);
		dom.content(buttons, [ finish, back ]);

		const show = (rows) => {
			const all = [ { done: true, tone: 'ok', words: _('Settings saved') } ];
			if (saved.reload_error)
				all.push({ done: false, tone: 'bad', words: _('The service does not take them over'), detail: saved.reload_error });
			dom.content(steps, all.concat(rows).map((r) => E('div', { 'class': 'wb-' + r.tone }, [ parts.state(r.tone, r.words, r.detail, r.done) ])));
		};
		const tick = () => parts.status().then((s) => {
			if (timer === -1)
				return;
			const rows = logic.progress(s, this.written.hostname, Date.parse(s.time) || Date.now());
			const complete = rows.length && rows.every((r) => r.done);
			const text = JSON.stringify(rows);
			if (text != last) {
				show(complete ? rows.concat({ done: true, tone: 'ok', words: _('Done. From now on the router does this by itself, within a second of a new address.') }) : rows);
				last = text;
			}
			finish.classList.toggle('cbi-button-apply', complete);
			finish.classList.toggle('important', complete);
			back.style.display = complete ? 'none' : ''; /* .btn is stronger than hidden */
			if (!complete)
				timer = window.setTimeout(tick, Date.now() - started < 60000 ? 1000 : 5000);
		}).catch((e) => {
			if (timer === -1)
				return;
			show([ { done: false, tone: 'bad', words: _('The router did not answer'), detail: e?.message } ]);
			timer = window.setTimeout(tick, 3000);
		});
		show([]);
		return tick();
	},

	offerImport() {
		parts.importDdns(false, null).then((r) => {
			if (!r.found || !(r.records > 0))
				return;
			dom.content(this.importBox, E('p', {}, [ _('This router has settings of ddns-scripts.'), ' ',
				E('button', { 'class': 'btn cbi-button', click: () => importDialog(() => this.done()) }, [ _('Look at them and import …') ]) ]));
		}).catch(() => {});
	}
});

/* Shows what /etc/config/ddns would become, and does it when told to. after(): once it is saved. */
function importDialog(after) {
	ui.showModal(_('Import settings of ddns-scripts'), [ E('p', { 'class': 'spinning' }, [ _('Reading …') ]) ]);
	return parts.importDdns(false, null).then(parts.checked).then((r) => {
		const close = E('button', { 'class': 'btn', click: ui.hideModal }, [ _('Close') ]);
		if (!r.found || !(r.records > 0)) {
			ui.showModal(_('Import settings of ddns-scripts'), [ E('p', {}, [ _('There is nothing to import in %s.').format(parts.foreign(r.file ?? '/etc/config/ddns', 100)) ]), E('div', { 'class': 'right' }, [ close ]) ]);
			return;
		}
		const error = E('div', { 'class': 'wb-error' });
		const apply = () => parts.importDdns(true, r.revision).then(parts.checked).then((done) => {
			if (!done.saved)
				throw new Error((done.errors ?? []).map((e) => e.message).join('; ') || _('The configuration file has just been changed by somebody else. Try again.'));
			ui.hideModal();
			parts.toast([ _('Imported. ddns-scripts still runs; stop it so that the two do not both update the names.') ]);
			return after();
		}).catch((e) => dom.content(error, [ parts.foreign(e.message) ]));
		const list = (items) => E('ul', {}, items.map((t) => E('li', {}, [ parts.foreign(t, 400) ])));

		ui.showModal(_('Import settings of ddns-scripts'), [
			E('p', {}, [ _('This is what would be added. %s stays as it is.').format(parts.foreign(r.file, 100)) ]),
			E('pre', { 'class': 'wb-pre' }, [ parts.foreign(r.config ?? '', 20000, true) ]),
			r.skips?.length ? E('div', {}, [ E('h5', {}, [ _('Left out') ]), list(r.skips.map((s) => s.what + ': ' + s.why)) ]) : '',
			r.notes?.length ? E('div', {}, [ E('h5', {}, [ _('Not carried over') ]), list(r.notes.map((n) => (n.line ? _('line %d: ').format(n.line) : '') + n.message)) ]) : '',
			error,
			E('div', { 'class': 'right' }, [ close, ' ', E('button', { 'class': 'btn cbi-button-positive important', click: ui.createHandlerFn({ apply: apply }, 'apply') }, [ _('Import') ]) ])
		]);
	}).catch((e) => { ui.hideModal(); parts.fail(e); });
}

return baseclass.extend({
	create: (o) => new Assistant(o).node,
	importDialog: importDialog
});
