'use strict';
'require baseclass';
'require form';
'require dom';
'require ui';
'require view.wanbeacon.parts as parts';
'require view.wanbeacon.logic as logic';
'require view.wanbeacon.tables as tables';

/*
 * The forms of the settings page. Before a dialog closes, the daemon judges what would be saved, so that its errors stand at
 * the field that they are about.
 */

/* Puts a message at an option's field until it is edited. Returns whether there is one. */
function mark(sid, option, message) {
	const node = document.getElementById('cbi-json-%s-%s'.format(sid, option));
	const field = node?.querySelector('.cbi-value-field');
	if (!field)
		return false;
	const input = field.querySelector('input, select, textarea, .cbi-dropdown');
	const error = E('div', { 'class': 'wb-error', role: 'alert' }, [ parts.foreign(message, 400) ]);
	field.appendChild(error);
	input?.classList.add('cbi-input-invalid');
	const clear = () => { error.remove(); input?.classList.remove('cbi-input-invalid'); };
	node.addEventListener('input', clear, { once: true });
	node.addEventListener('widget-change', clear, { once: true });
	/* on another tab, nobody would see it */
	const pane = node.closest('[data-tab-active="false"]');
	pane?.parentNode.previousElementSibling?.querySelector('[data-tab="%s"] a'.format(pane.getAttribute('data-tab')))?.click();
	node.scrollIntoView({ block: 'nearest' });
	return true;
}

const Secret = form.Value.extend({
	renderWidget(...args) {
		const node = form.Value.prototype.renderWidget.apply(this, args);
		node.querySelector('input')?.addEventListener('focus', (ev) => ev.target.value == tables.STORED && ev.target.select());
		return node;
	},
	validate(sid, value) {
		return (value != tables.STORED && value.indexOf(tables.STORED.charAt(0)) >= 0) ? _('Type the whole new value, or leave the stored one') : true;
	}
});

/* A list whose order counts: each item but the first has a button that moves it up, as well as being draggable. */
const Ordered = form.DynamicList.extend({
	renderWidget(...args) {
		const node = form.DynamicList.prototype.renderWidget.apply(this, args);
		const draw = () => this.map.readonly || node.querySelectorAll('.item').forEach((item) => {
			if (!item.querySelector('button'))
				item.prepend(E('button', { type: 'button', 'class': 'btn cbi-button wb-up', title: _('Move up'), 'aria-label': _('Move up'), click: (ev) => {
					ev.stopPropagation();
					item.previousElementSibling?.before(item);
					node.dispatchEvent(new CustomEvent('cbi-dynlist-change', { bubbles: true }));
				} }, [ '\u2191' ]));
		});
		node.addEventListener('cbi-dynlist-change', draw);
		draw();
		return node;
	}
});

/* A grid whose dialog asks the daemon before it closes. settings: the view. */
const Grid = form.GridSection.extend({
	handleAdd(ev) {
		return this.addNew({});
	},

	addNew(values) {
		const data = this.map.data;
		const sid = logic.freeName(Object.keys(data.data), 'new_' + this.sectiontype);
		data.add(null, this.sectiontype, sid);
		Object.assign(data.data[sid], values);
		this.map.addedSection = sid;
		return this.renderMoreOptionsModal(sid);
	},

	openAt(sid, option, message) {
		return Promise.resolve(this.renderMoreOptionsModal(sid)).then(() => mark(sid, option, message));
	},

	/* undo, if set, takes back what was changed in a section before its dialog opened. */
	handleModalCancel(modalMap, ev, saving) {
		if (!saving && this.map.addedSection == null)
			this.undo?.();
		this.undo = null;
		return this.super('handleModalCancel', [ modalMap, ev, saving ]);
	},

	handleModalSave(modalMap, ev) {
		const active = dom.findClassInstance(this.getActiveModalMap());
		const sid = active.section, data = this.map.data.data;
		const before = Object.assign({}, data[sid]);
		active.root.parentNode.querySelectorAll('.wb-error').forEach((e) => e.remove());

		/* the page behind is drawn anew afterwards: what was edited there in place is taken up first */
		return this.map.parse().catch(() => {}).then(() => active.parse()).then(() => {
			return parts.setConfig(this.settings.reply.revision, this.settings.changes(), true, false).then(parts.checked);
		}).then((r) => {
			const sections = this.settings.sections();
			const mine = (r.errors ?? []).map((e) => ({ at: tables.place(sections, e.key), message: e.message })).filter((e) => e.at.sid == sid);
			if (!mine.length)
				return this.super('handleModalSave', [ modalMap, ev ]);
			data[sid] = before;
			for (const e of mine)
				if (!mark(sid, e.at.option, e.message))
					active.root.after(E('div', { 'class': 'wb-error', role: 'alert' }, [ parts.foreign(e.message) ]));
		}).catch((e) => {
			data[sid] = before;
			active.root.after(E('div', { 'class': 'wb-error', role: 'alert' }, [ parts.foreign(e?.message ?? e) ]));
		});
	}
});

function create(settings) {
	const reply = settings.reply, defaults = reply.defaults ?? {};
	const data = tables.toForm(reply);
	const m = new form.JSONMap(data, null, null);
	m.tabbed = true;
	m.readonly = !settings.mayWrite;

	const names = (type) => m.data.sections(null, type);
	const title = (type) => settings.providers.find((p) => p.name == type);
	const typeOf = (s) => s?.type ?? s?._name;
	let s, o;

	const grid = (type, tab, descr, add) => {
		s = m.section(Grid, type, tab, descr);
		s.settings = settings;
		s.anonymous = true;
		s.addremove = true;
		s.nodescriptions = true;
		s.addbtntitle = add;
	};
	const option = (kind, key, label, help, props) => {
		o = s.tabs ? s.taboption(props?.tab ?? 'general', kind, key, label, help) : s.option(kind, key, label, help);
		const d = defaults[s.sectiontype]?.[key];
		if (kind === form.Flag) {
			o.enabled = 'true';
			o.disabled = 'false';
			o.default = String(d ?? false);
		}
		else if (kind === form.ListValue)
			o.default = Array.isArray(d) ? d.join(' ') : d;
		else if (d != null && d !== '' && !Array.isArray(d))
			o.placeholder = String(d);
		for (const k in props ?? {})
			if (k != 'tab')
				o[k] = props[k];
		return o;
	};
	const duration = { validate: (sid, v) => (v === '' || v == 'off') ? true : (logic.durationError(v) ?? true) };
	const unique = (type) => (sid, v) => {
		if (!/^[A-Za-z0-9_-]+$/.test(v))
			return _('Letters, digits, - and _ only');
		return names(type).some((x) => x._name == v && x['.name'] != sid) ? _('There is one of that name already') : true;
	};
	const refer = (type, sid, key, also) => {
		/* choices anew at each opening; what the file says is always among them */
		const own = names(type).map((x) => [ x['.name'], x._name ]);
		for (const n of also ?? [])
			if (!own.some((c) => c[1] == n))
				own.unshift([ n, n ]);
		for (const value of [].concat(m.data.get(null, sid, key) ?? []))
			if (!own.some((c) => c[0] == value))
				own.push([ value, value ]);
		return own;
	};
	/* what a name refers to, for its row */
	const called = (sid, key, none) => E('span', {}, [ parts.foreign([].concat(m.data.get(null, sid, key) ?? none)
		.map((x) => m.data.get(null, x)?._name ?? x).join(', '), 100) ]);
	const argv = (key, help, props) => option(form.TextValue, key, key == 'on_change' ? _('Run at a change') : _('Program'), help, Object.assign({ rows: 3, monospace: true, wrap: 'off' }, props));
	const fillChoices = (opt, choices) => {
		opt.keylist = choices.map((c) => c[0]);
		opt.vallist = choices.map((c) => logic.tame(c[1], 100));
	};
	/* LuCI reads a dialog's title as HTML twice */
	const heading = (text) => parts.esc(parts.esc(text));
	const host = (sid, v) => logic.hostnameError(v) ?? true;

	/* ---- names ---- */
	grid('record', _('Names'), _('The names that are kept up to date.'), _('Add a name'));
	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));
	s.modaltitle = (sid) => heading(m.data.get(null, sid, 'hostname') ?? _('New name'));
	option(form.Value, 'hostname', _('Host name'), _('The whole name, such as home.example.org'), { rmempty: false, validate: host });
	option(form.ListValue, 'provider', _('Account'), _('Accounts are made on the tab "Accounts".'), { rmempty: false, textvalue: (sid) => called(sid, 'provider', '\u2013') });
	option(form.ListValue, 'families', _('Addresses'), null);
	o.value('ipv4', _('IPv4'));
	o.value('ipv6', _('IPv6'));
	o.value('ipv4 ipv6', _('IPv4 and IPv6'));
	o.value('ipv6 ipv4', _('IPv6 and IPv4'));
	o.textvalue = (sid) => (m.data.get(null, sid, 'families') ?? 'ipv4').split(' ').map(logic.familyName).join(', ');
	option(Ordered, 'source', _('Sources'), _('Where its address comes from. Of several, best first, the first one is used that has an address and a way out.'),
		{ placeholder: null, textvalue: (sid) => called(sid, 'source', 'wan') });
	option(form.Flag, 'enabled', _('Enabled'), null, { editable: true });
	option(form.Value, 'ttl', _('Time to live'), _('How long others may remember the address, such as 60s; only with providers whose protocol has it.'),
		Object.assign({ tab: 'advanced', modalonly: true }, duration));
	argv('on_change', _('A program and its arguments, one a line; no shell. It gets WANBEACON_HOSTNAME, _FAMILY, _ADDRESS, _OLD_ADDRESS and _PROVIDER.'), { tab: 'advanced', modalonly: true });
	option(form.Flag, 'all_sources', _('The addresses of all its sources'), _('Not of the first one: where there are several, and the provider\'s protocol can.'), { tab: 'advanced', modalonly: true });
	option(form.Flag, 'remove_on_exit', _('Take the address away when the service stops'), _('Where the provider\'s protocol can.'), { tab: 'advanced', modalonly: true });
	s.addModalOptions = (modal, sid) => {
		for (const c of modal.children) {
			if (c.option == 'provider')
				fillChoices(c, refer('provider', sid, 'provider'));
			if (c.option == 'source') {
				fillChoices(c, refer('source', sid, 'source', [ 'wan' ]));
				c.default = [ names('source').find((x) => x._name == 'wan')?.['.name'] ?? 'wan' ];
			}
		}
	};
	s.handleAdd = function() {
		if (names('provider').length)
			return this.addNew({ provider: names('provider')[0]['.name'] });
		ui.addNotification(null, E('p', {}, [ _('Make an account first, on the tab "Accounts".') ]), 'info');
	};

	/* ---- accounts ---- */
	grid('provider', _('Accounts'), _('One for each provider that you are a customer of.'), _('Add an account'));
	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));
	s.modaltitle = (sid) => heading(title(typeOf(m.data.get(null, sid)))?.title ?? typeOf(m.data.get(null, sid)));
	option(form.Value, '_name', _('Name'), _('Names refer to the account by this.'), { rmempty: false, validate: unique('provider') });
	option(form.DummyValue, '_type', _('Provider'), null, { modalonly: false,
		textvalue: (sid) => E('span', {}, [ parts.foreign(title(typeOf(m.data.get(null, sid)))?.title ?? typeOf(m.data.get(null, sid)), 100) ]) });
	option(form.DummyValue, '_used', _('Used by'), null, { modalonly: false, textvalue: (sid) =>
		E('span', {}, [ parts.foreign(names('record').concat(names('alias')).filter((r) => r.provider == sid).map((r) => r.hostname).join(', ') || '\u2013', 300) ]) });
	const accounts = s;
	const choose = (done) => ui.showModal(_('Who is the provider?'), [
		parts.picker(settings.providers, (p) => { ui.hideModal(); done(p); }),
		E('div', { 'class': 'right' }, [ E('button', { 'class': 'btn', click: ui.hideModal }, [ _('Cancel') ]) ])
	]);
	s.handleAdd = function() {
		choose((p) => this.addNew({ type: p.name, _name: logic.freeName(names('provider').map((x) => x._name), p.name) }));
	};
	s.addModalOptions = (modal, sid) => providerFields(modal, sid);

	const providerFields = (modal, sid) => {
		const table = m.data.get(null, sid);
		const p = title(typeOf(table));
		let tab = 'general';
		const add = (kind, key, label, help, props) => Object.assign(modal.taboption(tab, kind, key, parts.esc(label), help ? parts.esc(help) : ''), props);

		add(form.DummyValue, '_about', _('Provider'), null, { renderWidget: () => E('div', {}, [
			E('strong', {}, [ parts.foreign(p?.title ?? typeOf(table), 100) ]), ' ',
			m.readonly ? '' : E('button', { 'class': 'btn cbi-button', click: (ev) => {
				ev.preventDefault();
				choose((other) => {
					const was = Object.assign({}, table);
					for (const key in table)
						if (!/^[._]/.test(key) && [ 'bind', 'force_interval' ].indexOf(key) < 0 && !other.fields.some((f) => f.key == key))
							delete table[key];
					table.type = other.name;
					accounts.undo = () => {
						for (const key in table)
							delete table[key];
						Object.assign(table, was);
					};
					accounts.renderMoreOptionsModal(sid);
				});
			} }, [ _('Another one') ]),
			p ? parts.about(p) : parts.warning([ _('This provider is not in the catalogue.') ])
		]) });

		const fields = p?.fields ?? [];
		for (const f of fields) {
			if (f.choices?.length) {
				const list = add(form.ListValue, f.key, logic.label(f), f.help, { rmempty: !f.required, optional: !f.required, default: f.required ? f.default : null });
				if (!f.required)
					list.placeholder = f.default ? _('default: %s').format(parts.esc(f.default)) : _('unspecified');
				for (const c of f.choices)
					list.value(c, parts.esc(c));
			}
			else
				add(f.lines ? form.TextValue : f.secret ? Secret : form.Value, f.key, logic.label(f), f.help,
					{ password: f.secret && !f.lines, rmempty: !f.required || f.secret, placeholder: f.default ?? (f.secret ? null : p.sample?.values?.[f.key]) ?? null, rows: f.lines ? 6 : null, monospace: f.lines });
		}
		const hasServer = fields.some((f) => f.key == 'server');
		if (p?.server == 'required' && !hasServer)
			add(form.Value, 'server', _('Server'), _('The address of your own server, such as https://dyn.example.net'), { rmempty: false });

		tab = 'advanced';
		for (const f of fields)
			if (f.secret)
				add(form.Value, f.key + '_file', _('%s: from a file').format(logic.label(f)), _('A path on the router, whose first line is taken, instead of the value itself.'), { placeholder: '/etc/wanbeacon/%s.secret'.format(table._name ?? '') });
		if (p?.server == 'optional' && !hasServer)
			add(form.Value, 'server', _('Server'), _('Only if you run the service yourself: its address instead of the provider\'s.'), {});
		if (p?.server != 'none')
			Object.assign(add(form.Flag, 'insecure_http', _('Allow plain http'), _('Everybody on the way can read the password then.')), { enabled: 'true', disabled: 'false', default: 'false' });
		add(form.Value, 'force_interval', _('Send again every'), _('An unchanged address too, for providers that let names expire, such as 30d.'), Object.assign({ placeholder: defaults.provider?.force_interval ?? 'off' }, duration));
		const bind = add(form.Value, 'bind', _('Send through'), _('This device only, such as pppoe-wan; for routers with several WANs.'), {});
		for (const d of settings.devices)
			bind.value(d);
		/* what the file has besides stays visible, and can be taken out */
		for (const key in table)
			if (!/^[._]/.test(key) && key != 'type' && !modal.children.some((c) => c.option == key))
				add(table[key] == tables.STORED ? Secret : form.Value, key, key, _('This provider has no such field.'), { password: table[key] == tables.STORED });
	};

	/* ---- aliases ---- */
	grid('alias', _('Aliases'), _('A name of your own that always leads to a provider that works: a CNAME, moved when its target goes dark.'), _('Add an alias'));
	s.tab('general', _('General'));
	s.tab('advanced', _('Advanced'));
	s.modaltitle = (sid) => heading(m.data.get(null, sid, 'hostname') ?? _('New alias'));
	option(form.Value, 'hostname', _('Host name'), null, { rmempty: false, validate: host });
	option(form.ListValue, 'provider', _('Account'), _('That writes the alias; only providers that can write a CNAME.'), { rmempty: false, textvalue: (sid) => called(sid, 'provider', '\u2013') });
	option(Ordered, 'targets', _('Targets'), _('Names of the first tab, best first; the first one that is well is used.'), { rmempty: false });
	option(form.Value, 'fail_after', _('Move after'), _('How long the target must be bad.'), Object.assign({ tab: 'advanced', modalonly: true }, duration));
	option(form.Value, 'return_after', _('Move back after'), _('How long a better target must be well again.'), Object.assign({ tab: 'advanced', modalonly: true }, duration));
	s.addModalOptions = (modal, sid) => {
		for (const c of modal.children) {
			if (c.option == 'provider')
				fillChoices(c, refer('provider', sid, 'provider').filter((x) => {
					const p = title(typeOf(m.data.get(null, x[0])));
					return !p || p.can_cname || x[0] == m.data.get(null, sid, 'provider');
				}));
			if (c.option == 'targets')
				fillChoices(c, names('record').map((r) => [ r.hostname, r.hostname ]));
		}
	};

	/* ---- sources ---- */
	grid('source', _('Sources'), _('Where addresses come from. "wan" is there without being listed: the device with the default route. Add one named "wan" to change that.'), _('Add a source'));
	s.modaltitle = (sid) => heading(m.data.get(null, sid, '_name') ?? _('New source'));
	option(form.Value, '_name', _('Name'), null, { rmempty: false, validate: unique('source') });
	option(form.ListValue, 'method', _('Method'), null, {
		textvalue: function(sid) { return this.vallist[this.keylist.indexOf(m.data.get(null, sid, 'method') ?? 'auto')]; } });
	o.value('auto', _('by itself: the device, else the router before this one, else an echo service'));
	o.value('interface', _('the addresses of a device'));
	o.value('upstream', _('ask the router before this one (PCP, NAT-PMP, UPnP)'));
	o.value('echo', _('ask a service in the internet'));
	o.value('host', _('an IPv6 host behind this router'));
	o.value('static', _('always the same'));
	o.value('command', _('what a program prints'));
	const by = (...methods) => (opt) => { for (const x of methods) opt.depends('method', x); };
	by('auto', 'interface', 'upstream', 'echo', 'host')(option(form.Value, 'interface', _('Device'), _('Such as eth1 or pppoe-wan; auto: the one with the default route. For a host: where its prefix is, such as br-lan.'),
		{ textvalue: (sid) => E('span', {}, [ parts.foreign(m.data.get(null, sid, 'interface') ?? m.data.get(null, sid, 'network') ?? '\u2013', 60) ]) }));
	o.value('auto');
	for (const d of settings.devices)
		o.value(d);
	by('auto', 'interface', 'upstream', 'echo')(option(form.Value, 'network', _('Network'), _('OpenWrt\'s own name instead of a device, such as wan or wwan.'), { modalonly: true }));
	by('host')(option(form.Value, 'suffix', _('Suffix'), _('The last half of its address, such as ::1234:5678:9abc:def0.'), { modalonly: true }));
	by('host')(option(form.Value, 'mac', _('MAC address'), _('Instead of a suffix: whatever global address that host uses.'), { modalonly: true, datatype: 'macaddr' }));
	by('static')(option(form.Value, 'ipv4', _('IPv4 address'), null, { modalonly: true, datatype: 'ip4addr("nomask")' }));
	by('static')(option(form.Value, 'ipv6', _('IPv6 address'), null, { modalonly: true, datatype: 'ip6addr("nomask")' }));
	by('command')(argv('command', _('And its arguments, one a line; no shell. The first line that it prints is the address.'), { modalonly: true }));
	by('echo')(option(form.Value, 'url', _('Web address'), _('A page of your choice that answers with the address, instead of the built-in services.'), { modalonly: true }));
	by('echo')(option(form.Value, 'pattern', _('Pattern'), _('Where its answer has the address; empty: it is all of the answer.'), { modalonly: true, placeholder: 'IP Address: {address}<' }));
	by('echo')(option(form.Flag, 'insecure_http', _('Allow plain http'), _('Everybody on the way can change the answer then.'), { modalonly: true }));
	option(form.Flag, 'allow_private', _('Allow private addresses'), _('Publish addresses that the internet cannot reach, too.'), { modalonly: true });

	/* ---- the single tables ---- */
	const single = (type, tab, descr) => {
		s = m.section(form.NamedSection, type, type, tab, descr);
	};
	single('verify', _('Verification'), _('Whether the world sees what was published: the name servers are asked themselves.'));
	option(form.Flag, 'enabled', _('Enabled'), null);
	option(form.Value, 'interval', _('Every'), null, duration);
	option(form.Value, 'resolver', _('Resolver'), _('An address, with a port if need be; empty: the router\'s own.'));
	option(form.DynamicList, 'roots', _('Root servers'), _('Only for name spaces of your own; empty: those of the internet.'));

	single('notify', _('Notifications'), _('When a name becomes blocked, dark or diverted, or well again, and when an alias moves.'));
	argv('command', _('And its arguments, one a line; no shell. It gets the event as JSON on its standard input.'));
	option(Secret, 'url', _('Web address'), _('Gets the same JSON by POST.'), { password: reply.config.notify.url != null });

	single('daemon', _('Service'), null);
	option(form.ListValue, 'log_level', _('Log'), null);
	for (const l of [ 'error', 'warn', 'info', 'debug' ])
		o.value(l);
	option(form.Value, 'timeout', _('Time for one request'), null, duration);
	option(form.Value, 'ca_file', _('Certificate authorities'), _('A file in PEM form; empty: the system\'s.'));
	option(form.Value, 'providers_dir', _('Your own providers'), _('A directory of definitions in the form of the built-in ones.'));
	option(form.Value, 'state_dir', _('State directory'), _('On flash: what was published last. In force after a restart.'));
	option(form.Value, 'socket', _('Socket'), _('In force after a restart.'));

	return m;
}

return baseclass.extend({ create: create, mark: mark });
