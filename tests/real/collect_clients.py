"""Three real SDKs send to `collect`; the database and the screens are looked at. Outside the test suite.

    uv run python tests/real/collect_clients.py [--venvs DIR] [--only NAME]

Each program of `clients/` runs in a virtual environment of its own (kept in DIR for the next time), asks a
fake OpenAI-compatible server on loopback, and is traced by its own SDK. Exits with 1 where model, messages,
tokens, cost, user or session are not what they were.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "app"), str(HERE.parents[1])]

PACKAGES = {
    "openinference_openai": [
        "openai",
        "opentelemetry-sdk",
        "opentelemetry-exporter-otlp-proto-http",
        "openinference-instrumentation-openai",
    ],
    "langfuse_sdk": ["langfuse", "openai"],
    "logfire_sdk": ["logfire", "openai"],
}
#: User, session and feature that each program gives.
WHO = {
    "openinference_openai": ("alice", "session-1", "help-desk"),
    "langfuse_sdk": ("bob", "session-2", "help-desk"),
    "logfire_sdk": ("carol", "visit-3", "help-desk"),
}
QUESTIONS = ["What does delivery cost?", "Do you deliver to Norway?"]
MODEL = "gpt-4o-mini"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venvs", type=Path, help="folder of the virtual environments")
    parser.add_argument("--only", choices=sorted(PACKAGES))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llmops-clients-") as folder:
        return asyncio.run(tried(Path(folder), given.venvs, [given.only] if given.only else list(PACKAGES)))


async def tried(room: Path, venvs: Path | None, names: list[str]) -> int:
    from fake_openai import FakeOpenAI
    from small_workspace import write_workspace

    wrong: list[str] = []
    async with FakeOpenAI() as server:
        for name in names:
            python = installed((venvs or room / "venvs") / name, PACKAGES[name])
            root = write_workspace(room / name)
            with collecting(root) as url:
                environment = {
                    **os.environ,
                    "OPENAI_BASE_URL": server.url,
                    "OPENAI_API_KEY": "sk-not-a-key",
                    "OTEL_EXPORTER_OTLP_ENDPOINT": url,
                    "LANGFUSE_BASE_URL": url,
                    "LANGFUSE_HOST": url,
                    "LANGFUSE_PUBLIC_KEY": "pk-any",
                    "LANGFUSE_SECRET_KEY": "sk-any",
                }
                program = [str(python), str(HERE / "clients" / f"{name}.py")]
                ran = await asyncio.to_thread(
                    subprocess.run, program, env=environment, capture_output=True, text=True, timeout=300
                )
            if ran.returncode:
                wrong.append(f"{name}: exited with {ran.returncode}: {ran.stderr[-800:]}")
            faults = looked_at(name, root) + await seen(name, root)
            say(f"{name}: " + ("; ".join(faults) if faults else "everything is there"))
            wrong += [f"{name}: {fault}" for fault in faults]
    for fault in wrong:
        say(f"WRONG {fault}")
    return 1 if wrong else 0


def installed(venv: Path, packages: list[str]) -> Path:
    """The Python of a virtual environment that has these."""
    python = venv / "bin" / "python"
    if not python.exists():
        say(f"making {venv}")
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


@contextlib.contextmanager
def collecting(root: Path) -> Iterator[str]:
    """`collect` as a process of its own, on any free port."""
    command = [sys.executable, "-c", "from llmops_tui.entry import main; raise SystemExit(main())"]
    command += ["collect", "--port", "0", "--json", "--workspace", str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(30)


def looked_at(name: str, root: Path) -> list[str]:
    """What is not as it should be in the database."""
    from llmops_tui.domain.live.listing import LiveFilter
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    faults: list[str] = []
    with LiveStore.open(root / LIVE_DATABASE, read_only=True) as live:
        requests = sorted(live.requests.listed(LiveFilter()), key=lambda x: x.request.start)
        faults += differs("requests", len(requests), 3)
        user, session, feature = WHO[name]
        for listed in requests:
            r = listed.request
            faults += differs("user", r.user, user) + differs("session", r.session, session)
            faults += differs("feature", r.feature, feature)
        for listed, question in zip(requests[:2], QUESTIONS, strict=False):
            r, trace = listed.request, live.requests.trace(listed.id)
            assert trace is not None
            calls = [span for span in trace.spans if span.kind == "model"]
            faults += differs(f"calls of '{question}'", len(calls), 1)
            faults += differs("model", r.model, MODEL) + differs("input", r.input, question)
            faults += differs("output", bool(r.output), True)
            faults += differs("tokens", (r.input_tokens > 0, r.output_tokens > 0), (True, True))
            faults += differs("cost is known", r.priced, 1) + differs("cost", r.cost_usd > 0, True)
            if calls:
                faults += messages_of(calls[0].attributes, question)
        for listed in requests[2:3]:
            faults += differs("failed", listed.request.failed, True)
            faults += differs("its error", bool(listed.request.error), True)
    return list(dict.fromkeys(faults))


async def seen(name: str, root: Path) -> list[str]:
    """What is not on the Live screen, or on the Trace screen of the first question's request and its call."""
    from piloting import screen

    from llmops_tui.app.app import LlmopsApp
    from llmops_tui.app.settings import Settings
    from llmops_tui.engine.session import Session

    user, session_id, feature = WHO[name]
    session = Session(root)
    app = LlmopsApp(session, Settings(theme="llmops-dark"))
    faults: list[str] = []

    def lacks(where: str, *wanted: str) -> None:
        text = screen(app)
        faults.extend(f"{where} lacks {each!r}" for each in wanted if each not in text)

    try:
        async with app.run_test(size=(160, 50)) as pilot:
            await until(pilot, lambda: app.is_engine_up)
            await pilot.press("5")
            await until(pilot, lambda: "3 requests" in screen(app) and QUESTIONS[0] in screen(app))
            lacks("Live", MODEL, user, feature, "$0.0000", "33.3%", "✗ failed")
            await pilot.press("tab", "tab", "G", "t")
            await until(pilot, lambda: "input" in screen(app) and "step" in screen(app))
            shown = screen(app)
            lacks("Trace", MODEL, QUESTIONS[0], user, session_id, "$0.0000")
            if name != "openinference_openai":  # there the call is the whole
                await pilot.press("G")
                await until(pilot, lambda: screen(app) != shown)
            lacks("its call", MODEL, QUESTIONS[0], "tokens")
    finally:
        session.close()
    return faults


async def until(pilot: Any, holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await pilot.pause(0.02)


def messages_of(attributes: dict[str, Any], question: str) -> list[str]:
    from llmops_tui.domain import semconv as a

    given, made = attributes.get(a.INPUT_MESSAGES), attributes.get(a.OUTPUT_MESSAGES)
    if not isinstance(given, list) or not isinstance(made, list):
        return ["the messages are not a list"]
    roles = [message.get("role") for message in given]
    said = [part.get("content") for message in given for part in message.get("parts", ())]
    return (
        differs("roles", roles, ["system", "user"])
        + differs("what the user said", said[-1] if said else None, question)
        + differs("role of the answer", [m.get("role") for m in made], ["assistant"])
        + differs(
            "temperature",
            attributes.get(f"{a.REQUEST}temperature"),
            attributes.get(f"{a.REQUEST}temperature") and 0.2,
        )
    )


def differs(what: str, found: Any, wanted: Any) -> list[str]:
    return [] if found == wanted else [f"{what}: {found!r}, should be {wanted!r}"]


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
