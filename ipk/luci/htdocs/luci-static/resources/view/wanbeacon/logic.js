'use strict';
'require baseclass';

/*
 * What the page knows and decides, as plain functions: values in, values out. No DOM, no RPC, no clock, so that
 * test/logic.test.js can run all of it in node. The shapes are those of docs/rpc.md.
 *
 *   describe(record, now)        a record of `status` in colour and words
 *   cards(status, config, now)   all of them, one card a name
 *   search(providers, words)     the catalogue, best match first
 *
 * How settings become forms and back is in tables.js.
 */

/* ---- words ---- */

/* seconds → "3 min", as short as one can say it */
function span(seconds) {
	const s = Math.max(0, Math.round(seconds));
	if (s < 90 && s != 60)
		return _('%d s').format(s);
	if (s < 5400)
		return _('%d min').format(Math.round(s / 60));
	if (s < 129600)
		return _('%d h').format(Math.round(s / 3600));
	return _('%d days').format(Math.round(s / 86400));
}

/* when, now: milliseconds. A clock that differs a little never gives "in 2 s" for the past. */
function ago(when, now) {
	return (now - when < 2000) ? _('just now') : _('%s ago').format(span((now - when) / 1000));
}

function until(when, now) {
	return (when - now < 1000) ? _('now') : _('in %s').format(span((when - now) / 1000));
}

function familyName(family) {
	return family == 'ipv6' ? 'IPv6' : 'IPv4';
}

function classWords(error_class) {
	switch (error_class) {
	case 'badauth': return _('wrong user name, password or token');
	case 'nohost': return _('this account has no such host name');
	case 'notfqdn': return _('the provider does not take this as a full host name');
	case 'abuse': return _('the provider has blocked the host for abuse');
	case 'badagent': return _('the provider refuses this program');
	case 'paid-feature': return _('the account does not include this');
	case 'wrong-owner': return _('the host name belongs to somebody else');
	case 'invalid-ip': return _('the provider refuses the address');
	case 'badrequest': return _('the provider does not understand the request');
	case 'servererror': return _('the provider has a fault of its own');
	case 'toomany': return _('too many requests');
	case 'network': return _('no answer from the provider');
	case 'unknown': return _('an answer that is not understood');
	}
	return error_class ? _('refused (%s)').format(error_class) : _('failed');
}

function seen(r) {
	switch (r.verdict) {
	case 'ok':
		return r.delegation?.length > 1 ? _('seen by all %d name servers').format(r.delegation.length) : _('seen by the name servers');
	case 'pending': return _('the name servers do not show it yet');
	case 'stale': return _('name servers still give an older address');
	case 'dark': return _('but the name does not resolve');
	case 'diverted': return _('but the name leads somewhere else');
	case 'unverifiable': return _('cannot be verified');
	}
	return null;
}

/* What the daemon notes of a name that was not looked at yet; the words say it already. */
const JUST = 'published just now';

/*
 * A record of `status` for people: {tone, words, detail}. tone is ok, busy, warn, bad or off; words are ours and short, detail
 * is what the daemon or the provider said (null if there is nothing to add). now: milliseconds.
 */
function describe(r, now) {
	const next = r.next_attempt ? until(Date.parse(r.next_attempt), now) : null;
	const failed = r.error_class ? classWords(r.error_class) : _('failed');

	switch (r.state) {
	case 'disabled':
		return { tone: 'off', words: _('paused'), detail: null };
	case 'waiting':
		return { tone: 'busy', words: r.source
			? _('waiting for an %s address on %s').format(familyName(r.family), r.source)
			: _('waiting for an %s address').format(familyName(r.family)), detail: r.note ?? null };
	case 'updating':
		return { tone: 'busy', words: _('is being sent to %s …').format(r.provider), detail: null };
	case 'pending':
		return { tone: 'busy', words: next ? _('to be sent %s').format(next) : _('to be sent'), detail: r.error };
	case 'retrying':
		return { tone: 'warn', words: next ? '%s; %s'.format(failed, _('next attempt %s').format(next)) : failed, detail: r.error };
	case 'blocked':
		return { tone: 'bad', words: _('blocked: %s').format(failed), detail: r.error };
	case 'published': {
		const parts = [ r.last_change ? _('published %s').format(ago(Date.parse(r.last_change), now)) : _('published') ];
		const s = seen(r);
		if (s)
			parts.push(s);
		const tone = { dark: 'bad', diverted: 'bad', stale: 'warn', pending: 'busy' }[r.verdict] ?? 'ok';
		return { tone: tone, words: parts.join(', '), detail: r.verdict == 'ok' || r.verdict_note == JUST ? null : r.verdict_note };
	}
	}
	return { tone: 'warn', words: r.state, detail: r.error };
}

/* The same of an alias of `status`. */
function describeAlias(a, now) {
	const d = describe({ state: a.state, provider: a.provider, verdict: a.verdict, verdict_note: a.verdict_note }, now);
	if (a.state == 'waiting')
		d.words = _('no target has been seen to be well yet');
	else if (a.state == 'blocked')
		d.words = _('blocked');
	d.detail = [ a.reason, a.state == 'waiting' ? null : d.detail ].filter((x) => x).join('; ') || null;
	return d;
}

const WORST = [ 'off', 'ok', 'busy', 'warn', 'bad' ];

/* What a record has or is to have: one address, or those of all its sources. */
function addresses(r, which) {
	return r['all_' + which]?.length ? r['all_' + which].join(' ') : r[which];
}

/*
 * One card a name and provider, both families in it: [{hostname, provider, paused, tone, lines: [record + describe()]}], in
 * the order of the file. A line's via says which source is in use, and why, where there are several; since, how old what is
 * published is.
 */
function cards(status, config, now) {
	const all = [];
	const notes = {};
	for (const s of status.sources ?? [])
		notes[s.name + ' ' + s.family] = s.note;

	for (const r of status.records ?? []) {
		let card = all.find((c) => c.hostname == r.hostname && c.provider == r.provider);
		if (!card)
			all.push(card = { hostname: r.hostname, provider: r.provider, paused: true, blocked: false, tone: 'off', lines: [] });

		const own = recordIndex(config, r.hostname, r.provider);
		const listed = [].concat(own < 0 ? [] : (config.record[own].source ?? 'wan'));
		const source = r.source ?? listed[0] ?? null;
		const line = Object.assign({}, r, { published: addresses(r, 'published'), wanted: addresses(r, 'wanted'), source: source, note: notes[source + ' ' + r.family], via: null });
		if (r.all_published)
			line.via = r.source_note;
		else if (r.source && (r.source_note || listed.length > 1))
			line.via = _('by source %s').format(source) + (r.source_note ? ' \u2013 ' + r.source_note : '');
		Object.assign(line, describe(line, now));
		/* the words of one that is published say it themselves */
		line.since = r.published && r.last_change && r.state != 'published' ? _('published %s').format(ago(Date.parse(r.last_change), now)) : null;
		card.lines.push(line);
		card.paused = card.paused && r.state == 'disabled';
		card.blocked = card.blocked || r.state == 'blocked';
		if (WORST.indexOf(line.tone) > WORST.indexOf(card.tone))
			card.tone = line.tone;
	}
	return all;
}

function recordIndex(config, hostname, provider) {
	return (config?.record ?? []).findIndex((r) => r.hostname == hostname && r.provider == provider);
}

/* How far a new name is: [{done, words, detail, tone}], for the assistant's last step. Rows after a failure are left out. */
function progress(status, hostname, now) {
	const rows = [];
	const mine = (status?.records ?? []).filter((r) => r.hostname == hostname);

	if (!status?.running)
		return [ { done: false, tone: 'bad', words: _('The service does not run'), detail: status?.error ?? null } ];
	if (!mine.length)
		return [ { done: false, tone: 'busy', words: _('The service takes the new settings over …'), detail: status.config?.error ?? null } ];

	for (const r of mine) {
		const family = familyName(r.family);
		if (!r.wanted && !r.published) {
			const src = (status.sources ?? []).find((s) => s.family == r.family && !s.address && s.note);
			rows.push({ done: false, tone: 'busy', words: _('Looking for the %s address …').format(family), detail: src?.note ?? null });
			continue;
		}
		rows.push({ done: true, tone: 'ok', words: _('%s address found').format(family), detail: r.wanted ?? r.published });

		if (r.state == 'blocked' || r.state == 'retrying') {
			const d = describe(r, now);
			rows.push({ done: false, tone: d.tone, words: d.words, detail: d.detail });
			continue;
		}
		if (r.state != 'published') {
			rows.push({ done: false, tone: 'busy', words: _('Sending it to the provider …'), detail: null });
			continue;
		}
		rows.push({ done: true, tone: 'ok', words: _('Accepted by the provider'), detail: null });

		switch (r.verdict) {
		case 'ok':
			rows.push({ done: true, tone: 'ok', words: _('The world sees it: %s').format(seen(r)), detail: null });
			break;
		case 'unverifiable':
			rows.push({ done: true, tone: 'ok', words: _('Whether the world sees it cannot be verified'), detail: r.verdict_note });
			break;
		case 'dark':
		case 'diverted':
			rows.push({ done: false, tone: 'warn', words: _('Published, %s').format(seen(r)), detail: r.verdict_note });
			break;
		default:
			rows.push({ done: false, tone: 'busy', words: _('Waiting for the name servers to show it …'), detail: null });
		}
	}
	return rows;
}

/* ---- the catalogue ---- */

function fold(s) {
	return String(s ?? '').toLowerCase().normalize('NFD').replace(/[\u0300-\u036f]/g, '');
}

/* How well one word fits one provider; 0: not at all. */
function fits(p, word) {
	const title = fold(p.title), plain = title.replace(/[^a-z0-9]/g, ''), w = word.replace(/[^a-z0-9]/g, '') || word;
	if (p.name == word || title == word || plain == w)
		return 100;
	if (p.name.indexOf(word) == 0 || title.indexOf(word) == 0 || plain.indexOf(w) == 0)
		return 60;
	for (const z of p.zones ?? [])
		if (fold(z) == word)
			return 55;
	if (title.split(/[^a-z0-9]+/).some((t) => t.indexOf(word) == 0))
		return 40;
	if (title.indexOf(word) >= 0 || p.name.indexOf(word) >= 0 || plain.indexOf(w) >= 0)
		return 20;
	for (const z of p.zones ?? [])
		if (fold(z).indexOf(word) >= 0)
			return 15;
	for (const d of p.documentation ?? [])
		if (fold(d.replace(/^https?:\/\//, '').split('/')[0]).indexOf(word) >= 0)
			return 10;
	return 0;
}

/*
 * Those of the catalogue that fit every word, best first, else by title. A whole host name finds the provider of its zone.
 */
function search(providers, words) {
	const parts = fold(words).split(/\s+/).filter((w) => w);
	const found = [];

	for (const p of providers) {
		let score = 0;
		const all = parts.every((w) => {
			let s = fits(p, w);
			if (!s && w.indexOf('.') > 0 && (p.zones ?? []).some((z) => w.endsWith('.' + fold(z))))
				s = 50;
			score += s;
			return s > 0;
		});
		if (all)
			found.push({ p: p, score: score });
	}
	found.sort((a, b) => (b.score - a.score) || fold(a.p.title).localeCompare(fold(b.p.title)));
	return found.map((f) => f.p);
}

/* "IPv4, IPv6 · at most one update in 5 min", as a line below a provider's name */
function limits(p) {
	const parts = [ (p.families ?? []).map(familyName).join(', ') ];
	if (p.min_interval_seconds > 0)
		parts.push(_('at most one update in %s').format(span(p.min_interval_seconds)));
	if (!p.verify)
		parts.push(_('cannot be verified'));
	return parts.join(' \u00b7 ');
}

/* The label of a provider's field: the catalogue's usual ones are translated, too (test/strings.test.js knows which). */
const translate = _;

function label(f) {
	return translate(f.label);
}

/* A name for a new table that no other has: "noip", else "noip2", "noip3" … */
function freeName(taken, wish) {
	const base = String(wish).replace(/[^A-Za-z0-9_-]/g, '-') || 'account';
	let name = base;
	for (let n = 2; taken.indexOf(name) >= 0; n++)
		name = base + n;
	return name;
}

/* What is wrong with a host name, as a sentence; null if nothing is. The daemon judges anew; this spares the way to it. */
function hostnameError(name) {
	const labels = String(name).replace(/\.$/, '').split('.');
	if (/^[a-z]+:\/\//i.test(name))
		return _('A name only, without http://');
	if (labels.length < 2)
		return _('A whole name is needed, such as home.example.org');
	if (name.length > 253 || labels.some((l) => l.length < 1 || l.length > 63))
		return _('A part of the name is empty or too long');
	if (labels.some((l, i) => !(i == 0 && l == '*') && !/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i.test(l) && !/[^\x00-\x7f]/.test(l)))
		return _('Only letters, digits, hyphens and dots');
	return null;
}

/* "90s", "10m", "72h", "30d", also "1h30m" */
function durationError(text) {
	return /^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text) ? null : _('Such as 90s, 10m, 72h or 30d');
}

/* What a call that rejected means: 'missing' (rpcd has no such object), 'denied' (the login may not), else 'failed'. */
function trouble(error) {
	const m = String(error?.message ?? error);
	if (/-32000|object not found|method not found|ubus code [34]\b|-32601/i.test(m))
		return 'missing';
	if (/-32002|access denied|permission denied|ubus code 6\b/i.test(m))
		return 'denied';
	return 'failed';
}

/* Foreign text for people: control characters escaped, and cut, so that it can neither hide nor flood anything. lines: keeps "\n". */
function tame(text, max, lines) {
	const s = String(text ?? '').replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
		(c) => (lines && c == '\n') ? c : '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
	return s.length > (max ?? 500) ? s.slice(0, max ?? 500) + ' \u2026' : s;
}

return baseclass.extend({
	span: span, ago: ago, until: until, familyName: familyName, classWords: classWords, describe: describe, describeAlias: describeAlias, addresses: addresses, cards: cards,
	progress: progress, recordIndex: recordIndex, search: search, limits: limits, label: label, freeName: freeName,
	hostnameError: hostnameError, durationError: durationError, trouble: trouble, tame: tame
});
