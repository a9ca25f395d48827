"""The tables, step by step: each release that changes them adds a step and never edits an old one."""

from __future__ import annotations

#: Everything a run writes. Content keys and text hashes are 32 raw bytes, ids are small integers.
FLOW = """
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE blobs (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, text NOT NULL);

CREATE TABLE versions (
  id INTEGER PRIMARY KEY, config TEXT NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL,
  manifest_id INTEGER NOT NULL REFERENCES blobs(id), created_at REAL NOT NULL,
  git_commit TEXT, git_dirty INTEGER, seen INTEGER NOT NULL, seen_at REAL NOT NULL,
  UNIQUE (config, number), UNIQUE (config, hash));
CREATE INDEX versions_manifest ON versions(manifest_id);
CREATE TABLE version_blobs (
  version_id INTEGER NOT NULL REFERENCES versions(id) ON DELETE CASCADE,
  blob_id INTEGER NOT NULL REFERENCES blobs(id), PRIMARY KEY (version_id, blob_id)) WITHOUT ROWID;
CREATE INDEX version_blobs_blob ON version_blobs(blob_id);
CREATE TABLE labels (
  config TEXT NOT NULL, text TEXT NOT NULL,
  version_id INTEGER NOT NULL REFERENCES versions(id) ON DELETE CASCADE,
  PRIMARY KEY (config, text)) WITHOUT ROWID;
CREATE INDEX labels_version ON labels(version_id);
CREATE TABLE baselines (
  config TEXT PRIMARY KEY, version_id INTEGER NOT NULL REFERENCES versions(id)) WITHOUT ROWID;
CREATE INDEX baselines_version ON baselines(version_id);

CREATE TABLE calls (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL, generation INTEGER NOT NULL, trial INTEGER NOT NULL,
  step TEXT NOT NULL, occurrence INTEGER NOT NULL, model TEXT NOT NULL, pin TEXT NOT NULL,
  setup_id INTEGER NOT NULL REFERENCES blobs(id), text_id INTEGER NOT NULL REFERENCES blobs(id),
  tool_calls_id INTEGER REFERENCES blobs(id), finish_reason TEXT, refused INTEGER NOT NULL,
  served_model TEXT, fingerprint TEXT,
  input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER, reasoning_tokens INTEGER,
  latency_s REAL NOT NULL, ttft_s REAL, cost_usd REAL, attempts INTEGER NOT NULL, sent_at REAL NOT NULL);
CREATE UNIQUE INDEX calls_draw ON calls(key, trial, step, occurrence, generation);
CREATE INDEX calls_setup ON calls(setup_id);
CREATE INDEX calls_text ON calls(text_id);
CREATE INDEX calls_tool_calls ON calls(tool_calls_id) WHERE tool_calls_id IS NOT NULL;
CREATE TABLE call_messages (
  call_id INTEGER NOT NULL REFERENCES calls(id) ON DELETE CASCADE, n INTEGER NOT NULL,
  blob_id INTEGER NOT NULL REFERENCES blobs(id), PRIMARY KEY (call_id, n)) WITHOUT ROWID;
CREATE INDEX call_messages_blob ON call_messages(blob_id);

CREATE TABLE outputs (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL, trial INTEGER NOT NULL, generation INTEGER NOT NULL,
  text_hash BLOB NOT NULL, latency_s REAL NOT NULL, cost_usd REAL, ttft_s REAL,
  text_id INTEGER NOT NULL REFERENCES blobs(id), tool_calls_id INTEGER REFERENCES blobs(id),
  finish_reason TEXT, refused INTEGER NOT NULL,
  input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER, reasoning_tokens INTEGER,
  calls BLOB NOT NULL, at REAL NOT NULL);
CREATE UNIQUE INDEX outputs_key ON outputs(key, trial, generation);
CREATE INDEX outputs_text ON outputs(text_id);
CREATE INDEX outputs_tool_calls ON outputs(tool_calls_id) WHERE tool_calls_id IS NOT NULL;
CREATE TABLE retrieved (
  output_id INTEGER NOT NULL REFERENCES outputs(id) ON DELETE CASCADE, n INTEGER NOT NULL,
  source TEXT NOT NULL, blob_id INTEGER NOT NULL REFERENCES blobs(id), score REAL NOT NULL,
  position INTEGER NOT NULL, PRIMARY KEY (output_id, n)) WITHOUT ROWID;
CREATE INDEX retrieved_blob ON retrieved(blob_id);

CREATE TABLE scores (
  output_id INTEGER NOT NULL REFERENCES outputs(id) ON DELETE CASCADE, key BLOB NOT NULL,
  value REAL, passed INTEGER, weight REAL NOT NULL, label TEXT NOT NULL, error TEXT, reason TEXT NOT NULL,
  PRIMARY KEY (output_id, key)) WITHOUT ROWID;
CREATE TABLE score_sets (id INTEGER PRIMARY KEY, keys BLOB NOT NULL UNIQUE);

CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL REFERENCES versions(id) ON DELETE CASCADE,
  reason TEXT NOT NULL, state TEXT NOT NULL, started_at REAL NOT NULL,
  total INTEGER NOT NULL, asked_total INTEGER NOT NULL, generation INTEGER NOT NULL,
  provider_calls INTEGER NOT NULL DEFAULT 0, cached_outputs INTEGER NOT NULL DEFAULT 0,
  elapsed_s REAL, cost_usd REAL, eval_hash TEXT NOT NULL, owner TEXT NOT NULL);
CREATE INDEX runs_version ON runs(version_id, id);
CREATE INDEX runs_running ON runs(state) WHERE state = 'running';
CREATE TABLE places (
  id INTEGER PRIMARY KEY, case_id TEXT NOT NULL, model TEXT NOT NULL, trial INTEGER NOT NULL,
  extra INTEGER NOT NULL, UNIQUE (case_id, model, trial, extra));
CREATE TABLE items (
  run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, position INTEGER NOT NULL,
  place_id INTEGER NOT NULL REFERENCES places(id), status INTEGER NOT NULL, score REAL,
  output_id INTEGER REFERENCES outputs(id), score_set_id INTEGER REFERENCES score_sets(id), failure TEXT,
  PRIMARY KEY (run_id, position)) WITHOUT ROWID;
CREATE INDEX items_output ON items(output_id) WHERE output_id IS NOT NULL;
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  case_id TEXT NOT NULL, model TEXT NOT NULL, trial INTEGER NOT NULL, key BLOB NOT NULL,
  kind TEXT NOT NULL, message TEXT NOT NULL, remedy TEXT NOT NULL, provider TEXT NOT NULL,
  attempts INTEGER NOT NULL, at REAL NOT NULL);
CREATE INDEX attempts_run ON attempts(run_id);
"""

#: Sums that must be quick however many calls there are, and outlive them: what providers served,
#: and what was spent in each quarter of an hour (every time zone's midnight begins one).
SUMS = """
CREATE TABLE served (
  model TEXT NOT NULL, pin TEXT NOT NULL, served_model TEXT NOT NULL, fingerprint TEXT NOT NULL,
  first_seen REAL NOT NULL, last_seen REAL NOT NULL, calls INTEGER NOT NULL,
  priced_calls INTEGER NOT NULL, cost_usd REAL NOT NULL,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
  PRIMARY KEY (model, pin, served_model, fingerprint)) WITHOUT ROWID;
INSERT INTO served
  SELECT model, pin, ifnull(served_model, ''), ifnull(fingerprint, ''), min(sent_at), max(sent_at), count(*),
    count(cost_usd), ifnull(sum(cost_usd), 0.0), ifnull(sum(input_tokens), 0), ifnull(sum(output_tokens), 0)
  FROM calls GROUP BY 1, 2, 3, 4;
CREATE TABLE spending (quarter INTEGER PRIMARY KEY, cost_usd REAL NOT NULL);
INSERT INTO spending
  SELECT CAST(sent_at / 900 AS INTEGER), sum(cost_usd) FROM calls WHERE cost_usd IS NOT NULL GROUP BY 1;
"""

#: What a gate decided and spent, what was promoted, and how many times the planned trials an
#: adjudicated version has. A version whose number is negative is a hybrid, a what-if or a step of a
#: bisect: it has no number for people and is never the latest.
REVIEW = """
ALTER TABLE versions ADD COLUMN factor INTEGER NOT NULL DEFAULT 1;
CREATE TABLE verdicts (
  id INTEGER PRIMARY KEY, baseline_id INTEGER NOT NULL REFERENCES versions(id) ON DELETE CASCADE,
  candidate_id INTEGER NOT NULL REFERENCES versions(id) ON DELETE CASCADE,
  verdict TEXT NOT NULL, exploratory INTEGER NOT NULL, headline TEXT NOT NULL, look INTEGER NOT NULL,
  calls INTEGER NOT NULL, cost_usd REAL, looks TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX verdicts_candidate ON verdicts(candidate_id, id);
CREATE INDEX verdicts_baseline ON verdicts(baseline_id);
CREATE TABLE promotions (
  id INTEGER PRIMARY KEY, version_id INTEGER NOT NULL REFERENCES versions(id) ON DELETE CASCADE,
  forced INTEGER NOT NULL, note TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX promotions_version ON promotions(version_id);
"""

#: How outputs came about: spans, which name the calls and chunks that are kept anyway; what steps and tools
#: gave, so that an unchanged step is not run again; when scorers judged, and whom they asked.
TRACES = """
CREATE TABLE traces (
  id INTEGER PRIMARY KEY, output_id INTEGER UNIQUE REFERENCES outputs(id) ON DELETE CASCADE,
  attempt_id INTEGER UNIQUE REFERENCES attempts(id) ON DELETE CASCADE,
  began_at REAL NOT NULL, spans TEXT NOT NULL);
CREATE TABLE trace_texts (
  trace_id INTEGER NOT NULL REFERENCES traces(id) ON DELETE CASCADE,
  blob_id INTEGER NOT NULL REFERENCES blobs(id), PRIMARY KEY (trace_id, blob_id)) WITHOUT ROWID;
CREATE INDEX trace_texts_blob ON trace_texts(blob_id);
CREATE TABLE made (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL, generation INTEGER NOT NULL, trial INTEGER NOT NULL,
  result_id INTEGER NOT NULL REFERENCES blobs(id), at REAL NOT NULL);
CREATE UNIQUE INDEX made_draw ON made(key, trial, generation);
CREATE INDEX made_result ON made(result_id);
CREATE TABLE foreign_versions (
  version_id INTEGER PRIMARY KEY REFERENCES versions(id) ON DELETE CASCADE);
ALTER TABLE scores ADD COLUMN began_at REAL NOT NULL DEFAULT 0;
ALTER TABLE scores ADD COLUMN elapsed_s REAL NOT NULL DEFAULT 0;
ALTER TABLE scores ADD COLUMN calls TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN raw TEXT NOT NULL DEFAULT '';
"""

#: What guardrails saw on the way to an output (JSON of its looks, empty where there were none), the keys of
#: the calls that they made, and whether one of them failed itself.
GUARDRAILS = """
ALTER TABLE outputs ADD COLUMN guardrails TEXT NOT NULL DEFAULT '';
ALTER TABLE outputs ADD COLUMN guard_calls BLOB NOT NULL DEFAULT x'';
ALTER TABLE outputs ADD COLUMN guard_failed INTEGER NOT NULL DEFAULT 0;
"""

#: (name, statements): the n-th one makes schema n.
STEPS: tuple[tuple[str, str], ...] = (
    ("flow", FLOW),
    ("sums", SUMS),
    ("review", REVIEW),
    ("traces", TRACES),
    ("guardrails", GUARDRAILS),
)
VERSION = len(STEPS)
