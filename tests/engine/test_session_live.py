"""What the Live screen asks, answered from a real `live.db`."""

from __future__ import annotations

import threading
from concurrent.futures import wait
from pathlib import Path

import msgspec
import pytest
from session_screen import PATIENCE_S, Open, Screen
from small_workspace import write_workspace

from llmops_tui.domain import semconv as a
from llmops_tui.domain.errors import StoreError, UsageError
from llmops_tui.domain.live.arrival import Arrived, Batch, LiveScore, Signal
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.trace import Span
from llmops_tui.engine.events import WorkspaceLoaded
from llmops_tui.engine.live_reader import LiveReader
from llmops_tui.store.live import LIVE_DATABASE, LiveStore

NOW = 1_790_000_000.0
ALL = LiveFilter(since=NOW - 3_600, until=NOW)


def trace_id(n: int) -> str:
    return f"{n:032x}"


def request(n: int, question: str = "alpha beta?", error: str = "") -> list[Arrived]:
    """A request of the n-th minute before now."""
    start = NOW - 60 * n
    root = Span(
        *(f"{n:015x}1", "", "answer", "request", start, start + 2.0),
        *("error" if error else "ok", error),
        {
            a.FEATURE: "refunds",
            a.VERSION: "v2",
            a.CONFIG: "bench",
            a.USER: f"u{n % 3}",
            a.INPUT: {"question": question},
        },
    )
    said = [{"role": "assistant", "parts": [{"type": "text", "content": "no idea"}]}]
    call = Span(
        *(f"{n:015x}2", root.id, "chat", "model", start, start + 1.5, "ok", ""),
        {a.PROVIDER: "openai", a.MODEL: "gpt-4o-mini", a.COST: 0.001, a.OUTPUT_MESSAGES: said},
    )
    return [Arrived(trace_id(n), root), Arrived(trace_id(n), call)]


def ingest(root: Path, *batches: Batch) -> None:
    (root / LIVE_DATABASE).parent.mkdir(parents=True, exist_ok=True)
    with LiveStore.open(root / LIVE_DATABASE) as store:
        store.ingest(list(batches), NOW)


def traffic(n: int = 10) -> Batch:
    spans = [arrived for k in range(1, n + 1) for arrived in request(k, error="timed out" if k == 3 else "")]
    scores = [LiveScore(trace_id(2), "faithfulness", 0.25, False, "made up", at=NOW)]
    signals = [Signal("s1", "thumb", 0.0, NOW, trace_id(2), comment="wrong")]
    return Batch(spans, signals, scores)


@pytest.fixture
def ours(screen: Open) -> Screen:
    made = screen()
    made.wait(WorkspaceLoaded)
    return made


def test_before_anything_was_collected_there_is_nothing_and_no_file_is_made(ours: Screen) -> None:
    session = ours.session
    assert session.live_overview(ALL, NOW).result(PATIENCE_S) is None
    assert session.live_plot(ALL, "error_rate", None, NOW).result(PATIENCE_S) is None
    assert session.live_requests(ALL).result(PATIENCE_S) == ()
    assert session.live_choices(ALL, "feature").result(PATIENCE_S) == []
    assert session.live_changed().result(PATIENCE_S) is False
    assert session.live_trace(1).result(PATIENCE_S).after is None
    assert not (ours.root / LIVE_DATABASE).exists()


def test_figures_requests_and_traces_are_read(ours: Screen) -> None:
    ingest(ours.root, traffic())
    session = ours.session
    overview = session.live_overview(ALL, NOW).result(PATIENCE_S)
    assert overview is not None
    errors = next(view for view in overview.groups if view.group == "errors")
    assert errors.headline.value == pytest.approx(0.1)
    plot = session.live_plot(ALL, "error_rate", "version", NOW).result(PATIENCE_S)
    assert plot is not None
    assert [line.name for line in plot.lines] == ["v2"]
    assert session.live_choices(ALL, "user").result(PATIENCE_S)[0] == ("u1", 4)
    failed = session.live_requests(LiveFilter(only="failed")).result(PATIENCE_S)
    assert [each.request.trace_id for each in failed] == [trace_id(3)]
    (bad,) = session.live_requests(LiveFilter(only="bad")).result(PATIENCE_S)
    after = session.live_trace(bad.id).result(PATIENCE_S).after
    assert after is not None
    assert [span.name for span in after.spans] == ["answer", "chat", "faithfulness", "signal thumb"]
    assert after.spans[2].attributes[a.EXPLANATION] == "made up"
    assert after.spans[3].end == after.root.end
    assert session.live_trace(failed[0].id).result(PATIENCE_S).failure == "timed out"


def test_a_rollout_needs_two_versions_with_traffic(ours: Screen) -> None:
    with pytest.raises(UsageError, match="llmops-tui collect"):
        ours.session.live_rollout(ALL, NOW).result(PATIENCE_S)
    ingest(ours.root, traffic())
    with pytest.raises(UsageError, match="version"):
        ours.session.live_rollout(ALL, NOW).result(PATIENCE_S)
    older = [msgspec.structs.replace(each, trace_id=f"{n:031x}f") for n, each in enumerate(old_version())]
    ingest(ours.root, Batch(older))
    view = ours.session.live_rollout(ALL, NOW).result(PATIENCE_S)
    assert (view.old, view.new) == ("v1", "v2")


def old_version() -> list[Arrived]:
    """Roots of requests that v1 answered before."""
    roots = [request(n)[0] for n in range(20, 50)]
    attributes = {**roots[0].span.attributes, a.VERSION: "v1"}
    return [
        msgspec.structs.replace(root, span=msgspec.structs.replace(root.span, attributes=attributes))
        for root in roots
    ]


def test_whether_anything_came_in_is_told_once(ours: Screen) -> None:
    ingest(ours.root, traffic(2))
    session = ours.session
    session.live_changed().result(PATIENCE_S)
    assert session.live_changed().result(PATIENCE_S) is False
    ingest(ours.root, Batch(request(20)))
    assert session.live_changed().result(PATIENCE_S) is True
    assert session.live_changed().result(PATIENCE_S) is False


def test_a_database_that_is_put_in_its_place_is_read(ours: Screen) -> None:
    ingest(ours.root, traffic(2))
    session = ours.session
    assert len(session.live_requests(ALL).result(PATIENCE_S)) == 2
    for file in (ours.root / LIVE_DATABASE).parent.glob("live.db*"):
        file.unlink()
    assert session.live_requests(ALL).result(PATIENCE_S) == ()
    ingest(ours.root, traffic(5))
    assert len(session.live_requests(ALL).result(PATIENCE_S)) == 5


def test_a_file_that_is_no_database_of_ours_is_an_error_that_says_so(ours: Screen) -> None:
    (ours.root / LIVE_DATABASE).parent.mkdir(exist_ok=True)
    (ours.root / LIVE_DATABASE).write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"live\.db"):
        ours.session.live_overview(ALL, NOW).result(PATIENCE_S)


def test_a_request_becomes_a_case(ours: Screen) -> None:
    ingest(ours.root, Batch(request(1, "How long may I keep it?")))
    session = ours.session
    (listed,) = session.live_requests(ALL).result(PATIENCE_S)
    draft = session.live_case(listed.id).result(PATIENCE_S)
    assert draft.config == "bench"
    assert draft.new.vars == {"question": "How long may I keep it?"}
    assert draft.answer == "no idea"
    assert draft.files == ("evals/live.yaml", "evals/bench.yaml")
    with pytest.raises(UsageError, match="needs something to be held against"):
        session.keep_live_case("bench", draft.new, draft.files[0]).result(PATIENCE_S)
    new = msgspec.structs.replace(draft.new, expected="30 days")
    id_, file = session.keep_live_case("bench", new, draft.files[0]).result(PATIENCE_S)
    written = (ours.root / file).read_text()
    assert id_ in written
    assert "30 days" in written
    assert trace_id(1) in written
    with LiveStore.open(ours.root / LIVE_DATABASE, read_only=True) as store:
        assert store.looked.of([trace_id(1)]) == {trace_id(1): f"case {id_}"}


def test_cases_that_ask_nearly_the_same_are_named(ours: Screen) -> None:
    ingest(ours.root, Batch(request(1, "Alpha, beta?")))
    (listed,) = ours.session.live_requests(ALL).result(PATIENCE_S)
    draft = ours.session.live_case(listed.id).result(PATIENCE_S)
    assert len(draft.alike) == 1
    assert draft.alike[0].startswith("one (100 %)")


def test_a_request_that_is_gone_is_no_case(ours: Screen) -> None:
    ingest(ours.root, traffic(1))
    with pytest.raises(UsageError, match="not kept any more"):
        ours.session.live_case(999).result(PATIENCE_S)


def test_questions_from_many_threads_are_all_answered(tmp_path: Path) -> None:
    root = write_workspace(tmp_path / "ws")
    ingest(root, traffic(3))
    reader = LiveReader(root)
    try:
        asked = []

        def ask() -> None:
            asked.extend(reader.ask(lambda store: store and store.counts()) for _ in range(20))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait(asked, timeout=PATIENCE_S)
        found = [future.result(0) for future in asked]
        assert len(found) == 80
        assert all(counts and counts["requests"] == 3 for counts in found)
        # What one question does wrong is no concern of the next.
        with pytest.raises(ZeroDivisionError):
            reader.ask(lambda _store: 1 / 0).result(PATIENCE_S)
        assert reader.ask(lambda store: store is not None).result(PATIENCE_S)
    finally:
        reader.close()


def test_a_reader_lets_go_of_its_database_before_another_may_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection belongs to its thread: closed later, it could be one that the next thread reads with."""
    monkeypatch.setattr("llmops_tui.engine.live_reader.IDLE_S", 0.01)
    ingest(tmp_path, traffic(1))
    reader = LiveReader(tmp_path)
    let_go, alone = reader._let_go, []

    def watched() -> None:
        if reader._store is not None:
            alone.append(reader._thread is threading.current_thread() and reader._lock.locked())
        let_go()

    reader._let_go = watched  # type: ignore[method-assign]
    thread = reader.ask(lambda _store: threading.current_thread()).result(PATIENCE_S)
    thread.join(PATIENCE_S)
    assert alone == [True]
