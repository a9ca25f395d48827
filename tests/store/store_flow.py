"""What a run gives, made up: versions, calls, outputs and results for the tests of the store."""

from __future__ import annotations

from pathlib import Path

import msgspec

from llmops_tui.domain.call import Call, ChatRequest, Draw, Failure
from llmops_tui.domain.canonical import digest
from llmops_tui.domain.manifest import Manifest, make_manifest, make_part
from llmops_tui.domain.model import Usage
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.run import Item, RunInfo, VersionInfo
from llmops_tui.domain.score import Score, combine
from llmops_tui.store import Result, Store

MODEL = "gateway/small"
PIN = {"client": "openai", "endpoint": "http://127.0.0.1:9/v1", "name": "small", "pin": {}}


def manifest(prompt: str) -> Manifest:
    return make_manifest([make_part("prompt", "", {"text": prompt}), make_part("models", MODEL, PIN)])


def version(
    store: Store, prompt: str = "Be brief.", config: str = "helpdesk", at: float = 1.0
) -> VersionInfo:
    return store.versions.ensure(config, manifest(prompt), {}, at=at)[0]


def start(store: Store, of: VersionInfo, total: int, at: float = 2.0, generation: int = 0) -> RunInfo:
    return store.runs.start(
        of.id, "save", total=total, asked_total=total, generation=generation, eval_hash="e" * 64, at=at
    )


def finish(store: Store, run: RunInfo) -> RunInfo:
    return store.runs.finish(
        run.id, state="complete", provider_calls=1, cached_outputs=0, elapsed_s=0.5, cost_usd=0.01
    )


def call(
    name: str, text: str = "yes", *, generation: int = 0, sent_at: float = 1_000.0, **parts: object
) -> Call:
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": name})
    values: dict[str, object] = {
        "served_model": "small-1",
        "fingerprint": "fp_1",
        "usage": Usage(10, 2, None, None),
        "latency_s": 0.25,
        "ttft_s": 0.1,
        "cost_usd": 0.002,
    }
    return Call(
        key=digest(["call", name]),
        draw=Draw(generation),
        model_id=MODEL,
        request=ChatRequest(messages, {"temperature": 0, "stop": ["\n"]}),
        text=text,
        sent_at=sent_at,
        **{**values, **parts},  # type: ignore[arg-type]
    )


def output(name: str, text: str = "yes") -> Output:
    chunk = Chunk("docs/refunds.md", "Thirty days from delivery.", 1.5, 3)
    return Output(
        text,
        retrieved=(chunk,),
        calls=(digest(["call", name]),),
        usage=Usage(10, 2, None, None),
        latency_s=0.25,
        ttft_s=0.1,
        cost_usd=0.002,
    )


def score(label: str, value: float = 1.0, **parts: object) -> Score:
    passed = value >= 1.0
    return Score(digest(["score", label]), label, value, passed, f"{label} says {value}", **parts)  # type: ignore[arg-type]


def content_key(name: str, prompt: str = "Be brief.") -> str:
    return digest(["output", prompt, name])


def result(
    position: int,
    name: str,
    text: str = "yes",
    *scores: Score,
    generation: int = 0,
    prompt: str = "Be brief.",
) -> Result:
    scores = scores or (score("contains"), score("max_words"))
    verdict = combine(scores)
    made = output(name, text)
    item = Item(
        name, MODEL, 0, verdict.status, verdict.score, latency_s=made.latency_s, cost_usd=made.cost_usd
    )
    keys = tuple(s.key for s in scores)
    return Result(position, content_key(name, prompt), generation, None, made, scores, None, item, keys)


def failed(position: int, name: str) -> Result:
    failure = Failure("timeout", "gateway did not answer in 60 s", "try again", "gateway", 3)
    item = Item(name, MODEL, 0, "error", failure=str(failure))
    return Result(position, content_key(name), 0, None, None, (), failure, item)


def evaluated(store: Store, prompt: str, names: list[str], config: str = "helpdesk") -> VersionInfo:
    """A version with one complete run; texts differ from prompt to prompt."""
    of = version(store, prompt, config)
    run = start(store, of, len(names))
    texts = {name: f"{prompt} {name}" for name in names}
    calls = [call(f"{prompt} {name}", texts[name]) for name in names]
    results = []
    for n, name in enumerate(names):
        made = result(n, name, texts[name], prompt=prompt)
        answered = msgspec.structs.replace(output(name, texts[name]), calls=(calls[n].key,))
        results.append(msgspec.structs.replace(made, output=answered))
    store.record(run.id, calls=calls, results=results, at=3.0)
    finish(store, run)
    return of


def database(folder: Path) -> Path:
    return folder / ".llmops" / "llmops.db"
