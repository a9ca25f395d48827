"""Tables of `live.db`, as steps that are applied one after the other."""

from __future__ import annotations

#: `facts` of a request and `data` of a rollup are MessagePack of `domain.live`; what is filtered or sorted by
#: has columns of its own, and they are all in one index, which answers filters without reading the rows. A
#: request is watched: 0 not looked at, 1 passed over, 2 to be judged, 3 judged.
#: A series has parts (`only` of a filter) with sums of their own, and part `*` is all of all series.
#: Spans are numbered as they come, so that they are appended; their index begins with their request's number.
LIVE = """
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE series (
  id INTEGER PRIMARY KEY, config TEXT NOT NULL, version TEXT NOT NULL, feature TEXT NOT NULL,
  model TEXT NOT NULL, provider TEXT NOT NULL, part TEXT NOT NULL,
  UNIQUE (config, version, feature, model, provider, part));
CREATE TABLE labels (
  dimension TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (dimension, value)) WITHOUT ROWID;
CREATE TABLE requests (
  id INTEGER PRIMARY KEY, trace_id BLOB NOT NULL UNIQUE, started_at REAL NOT NULL, came_at REAL NOT NULL,
  arrived_at REAL NOT NULL, series_id INTEGER NOT NULL REFERENCES series(id), counted INTEGER NOT NULL,
  complete INTEGER NOT NULL, user TEXT NOT NULL, session TEXT NOT NULL, error TEXT NOT NULL,
  failed INTEGER NOT NULL, refused INTEGER NOT NULL, flagged INTEGER NOT NULL, bad INTEGER NOT NULL,
  latency_s REAL NOT NULL, cost_usd REAL, score REAL, watch INTEGER NOT NULL DEFAULT 0, facts BLOB NOT NULL);
CREATE INDEX requests_started ON requests(started_at, series_id, counted, failed, refused, flagged, bad, user,
  error, latency_s, cost_usd, score);
CREATE INDEX requests_user ON requests(user, started_at, series_id, counted, failed, refused, flagged, bad,
  error, latency_s, cost_usd, score) WHERE user <> '';
CREATE INDEX requests_session ON requests(session, started_at) WHERE session <> '';
CREATE INDEX requests_new ON requests(complete, arrived_at) WHERE watch = 0;
CREATE INDEX requests_regretted ON requests(started_at) WHERE watch = 1 AND (failed OR flagged OR bad);
CREATE INDEX requests_waiting ON requests(id) WHERE watch = 2;
CREATE TABLE spans (
  id INTEGER PRIMARY KEY, request_id INTEGER NOT NULL REFERENCES requests(id) ON DELETE CASCADE,
  span_id BLOB NOT NULL, parent_id BLOB NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  started_at REAL NOT NULL, ended_at REAL NOT NULL, error TEXT, attributes BLOB NOT NULL);
CREATE UNIQUE INDEX spans_place ON spans(request_id, span_id);
CREATE TABLE rollups (
  resolution INTEGER NOT NULL, bucket INTEGER NOT NULL, series_id INTEGER NOT NULL REFERENCES series(id),
  data BLOB NOT NULL, PRIMARY KEY (resolution, bucket, series_id)) WITHOUT ROWID;
CREATE TABLE signals (
  id TEXT PRIMARY KEY, request_id INTEGER REFERENCES requests(id) ON DELETE SET NULL, trace_id BLOB NOT NULL,
  session TEXT NOT NULL, user TEXT NOT NULL, feature TEXT NOT NULL, kind TEXT NOT NULL, value REAL NOT NULL,
  at REAL NOT NULL, comment TEXT NOT NULL, edited TEXT NOT NULL, came_at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX signals_request ON signals(request_id) WHERE request_id IS NOT NULL;
CREATE INDEX signals_waiting ON signals(trace_id) WHERE request_id IS NULL;
CREATE INDEX signals_session ON signals(session, at) WHERE trace_id = x'' AND session <> '';
CREATE INDEX signals_alone ON signals(came_at) WHERE request_id IS NULL;
CREATE TABLE scores (
  trace_id BLOB NOT NULL, scorer TEXT NOT NULL, source TEXT NOT NULL,
  request_id INTEGER REFERENCES requests(id) ON DELETE CASCADE, value REAL, passed INTEGER,
  reason TEXT NOT NULL, error TEXT NOT NULL, at REAL NOT NULL, cost_usd REAL, came_at REAL NOT NULL,
  PRIMARY KEY (trace_id, scorer, source)) WITHOUT ROWID;
CREATE INDEX scores_request ON scores(request_id) WHERE request_id IS NOT NULL;
CREATE INDEX scores_waiting ON scores(trace_id) WHERE request_id IS NULL;
CREATE INDEX scores_alone ON scores(came_at) WHERE request_id IS NULL;
CREATE TABLE asides (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, source TEXT NOT NULL, place TEXT NOT NULL, why TEXT NOT NULL,
  text TEXT NOT NULL, UNIQUE (source, place, why, text));
CREATE TABLE looked (trace_id BLOB PRIMARY KEY, at REAL NOT NULL, what TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE dropped (trace BLOB PRIMARY KEY, day INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX dropped_day ON dropped(day);
CREATE TABLE alert_states (rule TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE alert_events (
  id INTEGER PRIMARY KEY, rule TEXT NOT NULL, at REAL NOT NULL, what TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX alert_events_at ON alert_events(at);
CREATE TABLE canaries (
  id INTEGER PRIMARY KEY, config TEXT NOT NULL, version TEXT NOT NULL, eval_hash TEXT NOT NULL,
  at REAL NOT NULL, data BLOB NOT NULL);
CREATE INDEX canaries_of ON canaries(config, version, eval_hash, at);
"""

#: What guardrails did is in `facts`; `guard_rows` says of which requests it is kept, and has what is counted
#: and ordered by. `place` is what it was drawn by: a number in [0, 1) made of the trace's id.
#: Reviews outlive requests, so they have all that is counted by; `data` is MessagePack.
GUARDS = """
CREATE TABLE guard_rows (
  request_id INTEGER NOT NULL REFERENCES requests(id) ON DELETE CASCADE, guardrail TEXT NOT NULL,
  started_at REAL NOT NULL, series_id INTEGER NOT NULL, triggered INTEGER NOT NULL, failed INTEGER NOT NULL,
  drawn INTEGER NOT NULL, place REAL NOT NULL, score REAL, threshold REAL, elapsed_s REAL NOT NULL,
  cost_usd REAL NOT NULL, PRIMARY KEY (request_id, guardrail)) WITHOUT ROWID;
CREATE INDEX guard_rows_at ON guard_rows(guardrail, started_at, series_id, triggered, failed, drawn, place,
  score, threshold, elapsed_s, cost_usd);
CREATE TABLE guard_reviews (
  trace_id BLOB NOT NULL, guardrail TEXT NOT NULL, triggered INTEGER NOT NULL, at REAL NOT NULL,
  reviewed_at REAL NOT NULL, data BLOB NOT NULL, PRIMARY KEY (trace_id, guardrail)) WITHOUT ROWID;
CREATE INDEX guard_reviews_at ON guard_reviews(guardrail, at);
"""

#: (name, statements): the n-th one makes schema n.
STEPS: tuple[tuple[str, str], ...] = (("live", LIVE), ("guards", GUARDS))
VERSION = len(STEPS)
