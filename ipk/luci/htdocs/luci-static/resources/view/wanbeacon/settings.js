'use strict';
'require view';
'require form';
'require poll';
'require dom';
'require ui';
'require view.wanbeacon.parts as parts';
'require view.wanbeacon.logic as logic';
'require view.wanbeacon.tables as tables';
'require view.wanbeacon.assistant as assistant';
'require view.wanbeacon.forms as forms';

/*
 * Settings: the configuration file as forms. The file stays the truth: what was changed here goes back as a list of changed
 * tables, based on the revision that was read. Save writes it, Save & Apply has the daemon take it over as well.
 */

return view.extend({
	load() {
		return Promise.all([ parts.getConfig().then(parts.checked), parts.providers(), L.resolveDefault(parts.addresses(), {}) ]).catch((e) => e);
	},

	render(loaded) {
		const head = [ parts.style(), E('div', { 'class': 'wb-head' }, [ E('h2', {}, [ _('Dynamic DNS: settings') ]),
			L.hasViewPermission() ? E('button', { 'class': 'btn cbi-button', click: ui.createHandlerFn(this, 'importSettings') }, [ _('Import from ddns-scripts …') ]) : '' ]) ];
		if (!Array.isArray(loaded))
			return E('div', {}, head.concat(parts.trouble(loaded)));

		this.reply = loaded[0];
		this.providers = loaded[1].providers ?? [];
		const devices = {};
		for (const s of loaded[2].sources ?? [])
			for (const c of s.candidates ?? [])
				devices[c.interface] = true;
		this.devices = Object.keys(devices).filter((d) => d && d != 'lo').sort();
		this.mayWrite = L.hasViewPermission();
		this.banner = E('div');
		this.box = E('div');

		if (!this.reply.config)
			return E('div', {}, head.concat(parts.warning([ E('h4', {}, [ _('The configuration file cannot be read') ]),
				E('pre', { 'class': 'wb-pre' }, [ parts.foreign((this.reply.errors ?? []).map((e) => '%s:%d: %s'.format(e.path, e.line, e.message)).join('\n'), 4000, true) ]),
				E('p', {}, [ _('Correct it by SSH; until then nothing can be changed here.') ]) ], 'error')));

		poll.add(() => this.look(), 15);
		return this.draw().then(() => {
			this.mistakes(this.reply.errors);
			return E('div', { 'class': 'wb' }, head.concat(this.banner, this.box));
		});
	},

	/* The forms, of what was read last: whatever was not saved is gone. */
	draw() {
		this.map = forms.create(this);
		return this.map.render().then((node) => dom.content(this.box, node));
	},

	addFooter() {
		if (!this.map)
			return E([]);
		const off = this.mayWrite ? null : true;
		return E('div', { 'class': 'cbi-page-actions' }, [
			E('button', { 'class': 'btn cbi-button cbi-button-apply important', disabled: off, click: ui.createHandlerFn(this, 'save', true) }, [ _('Save & Apply') ]), ' ',
			E('button', { 'class': 'btn cbi-button cbi-button-save', disabled: off, click: ui.createHandlerFn(this, 'save', false) }, [ _('Save') ]), ' ',
			E('button', { 'class': 'btn cbi-button cbi-button-reset', disabled: off, click: ui.createHandlerFn(this, 'reset') }, [ _('Reset') ])
		]);
	},

	sections() {
		return this.map.data.sections();
	},

	changes() {
		return tables.diff(this.reply, this.sections());
	},

	save(apply) {
		return this.map.parse().then(() => this.write(this.reply.revision, this.changes(), apply))
			.catch((e) => ui.addNotification(null, E('p', {}, [ parts.foreign(e?.message ?? e) ]), 'error'));
	},

	write(revision, changed, apply) {
		dom.content(this.banner, null);
		return parts.setConfig(revision, changed, false, apply).then(parts.checked).then((r) => {
			if (r.stale)
				return this.stale(changed, apply);
			if (!r.saved)
				return this.mistakes(r.errors);
			for (const w of r.warnings ?? [])
				parts.toast([ parts.foreign(w.message ?? w) ], 'warning');
			if (!apply)
				parts.toast([ _('Saved. The service goes on with the former settings until you press Save & Apply.') ]);
			else if (r.reload_error)
				ui.addNotification(null, E('p', {}, [ _('Saved, but the service did not take it over: %s').format(parts.foreign(r.reload_error)) ]), 'error');
			else if (!r.running)
				ui.addNotification(null, E('p', {}, [ _('Saved. The service does not run; it will use the new settings when it is started.') ]), 'warning');
			else
				parts.toast([ _('Saved and in force.') ]);
			return this.again();
		});
	},

	again() {
		return parts.getConfig().then(parts.checked).then((reply) => {
			this.reply = reply;
			dom.content(this.banner, null);
			return reply.config ? this.draw() : window.location.reload();
		});
	},

	reset() {
		dom.content(this.banner, null);
		return this.draw();
	},

	/* Has the file become another since it was read? Asked now and then, not only at saving. */
	look() {
		if (document.hidden || this.asked)
			return Promise.resolve();
		return parts.getConfig().then((r) => {
			if (r.revision && r.revision != this.reply.revision && !this.asked)
				this.stale(null, false);
		}).catch(() => {});
	},

	/* Somebody else has changed the file. changed: what was to be written, null when nobody had asked for it yet. */
	stale(changed, apply) {
		this.asked = true;
		const load = () => { this.asked = false; return this.again(); };
		const merge = () => parts.getConfig().then(parts.checked).then((now) => {
			const mine = tables.rebase(this.reply.config, now.config, changed);
			this.asked = false;
			if (mine.lost.length)
				throw new Error(_('This is not in the file any more: %s').format(mine.lost.join(', ')));
			return this.write(now.revision, mine.tables, apply);
		}).catch(parts.fail);

		dom.content(this.banner, parts.warning([
			E('h4', {}, [ _('The configuration file has been changed by somebody else') ]),
			E('p', {}, [ changed ? _('Nothing was saved. You can put your changes on top of the new file, or drop them.')
				: _('It was changed by SSH, or in another window, since this page read it.') ]),
			E('div', { 'class': 'wb-buttons' }, [
				changed ? E('button', { 'class': 'btn cbi-button cbi-button-apply', click: ui.createHandlerFn({ f: merge }, 'f') }, [ _('Save my changes on top of it') ]) : '',
				E('button', { 'class': 'btn cbi-button', click: ui.createHandlerFn({ f: load }, 'f') }, [ _('Show the new file') ])
			]) ]));
		this.banner.scrollIntoView({ block: 'nearest' });
	},

	/* The daemon's errors: each at its field where that is on the page, and all of them above, with the way to it. */
	mistakes(errors) {
		if (!errors?.length)
			return;
		this.box.querySelectorAll('.wb-error').forEach((e) => e.remove());
		dom.content(this.banner, parts.warning([
			E('h4', {}, [ _('The settings have mistakes') ]),
			E('ul', {}, errors.map((e) => {
				const at = tables.place(this.sections(), e.key);
				const section = at.sid ? this.map.data.get('json', at.sid) : null;
				const grid = section ? this.map.children.find((s) => s.sectiontype == section['.type'] && s.openAt) : null;
				if (section && !grid)
					forms.mark(at.sid, at.option, e.message);
				return E('li', {}, [ section && (section._name ?? section.hostname) ? E('strong', {}, [ parts.foreign(section._name ?? section.hostname, 100) + ': ' ]) : '',
					parts.foreign(e.message), ' ',
					grid ? E('button', { 'class': 'btn cbi-button', click: () => grid.openAt(at.sid, at.option, e.message) }, [ _('Correct it') ]) : '' ]);
			})) ], 'error'));
		this.banner.scrollIntoView({ block: 'nearest' });
	},

	importSettings() {
		return assistant.importDialog(() => this.again());
	}
});
