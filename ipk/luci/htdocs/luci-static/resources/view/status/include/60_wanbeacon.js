'use strict';
'require baseclass';
'require dom';
'require view.wanbeacon.parts as parts';
'require view.wanbeacon.logic as logic';

/* The names at a glance, on Status → Overview. Nothing at all is shown where nothing is set up. */
return baseclass.extend({
	title: _('Dynamic DNS'),

	load() {
		return L.resolveDefault(parts.status(), null);
	},

	render(status) {
		if (!status || (status.running && !(status.records ?? []).length))
			return null;

		const page = L.url('admin/services/wanbeacon/overview');
		if (!status.running)
			return E('div', { 'class': 'wb-warn' }, [ parts.style(), parts.state('warn', _('The service does not run'), status.error),
				E('a', { href: page }, [ _('Dynamic DNS') ]) ]);

		const now = Date.parse(status.time) || Date.now();
		return E('div', {}, [ parts.style(), E('table', { 'class': 'table' }, [
			E('tr', { 'class': 'tr table-titles' }, [ _('Host name'), _('Address'), _('State') ].map((t) => E('th', { 'class': 'th' }, [ t ])))
		].concat(logic.cards(status, null, now).map((c) => c.lines).flat().map((l) => E('tr', { 'class': 'tr' }, [
			E('td', { 'class': 'td', 'data-title': _('Host name') }, [ E('a', { href: page }, [ parts.foreign(l.hostname, 253) ]) ]),
			E('td', { 'class': 'td', 'data-title': _('Address') }, [ parts.foreign(l.published ?? l.wanted ?? '\u2013', 400) ]),
			E('td', { 'class': 'td wb-' + l.tone, 'data-title': _('State') }, [ parts.state(l.tone, l.words, null) ])
		])))) ]);
	}
});
