"""`rollout`: the answer, and the exit code that a deployment script goes by."""

from __future__ import annotations

import random
import time

from desk import Desk
from live_desk import LiveDesk
from made_traffic import Made, live_store, spread


def filled(desk: Desk, errors: float, n: int = 900, seed: int = 3) -> LiveDesk:
    """Half an hour of v1 and v2 side by side, of which v2 fails now and then."""
    now = time.time()

    def old(at: float, rng: random.Random) -> Made:
        return Made(at, "v1", "desk", error="timeout" if rng.random() < 0.01 else "")

    def new(at: float, rng: random.Random) -> Made:
        return Made(at, "v2", "desk", error="timeout" if rng.random() < errors else "")

    both = [*spread(n, now - 1800, now - 1, old, seed), *spread(n, now - 1800, now - 1, new, seed + 1)]
    live_store(desk.root, both, now).close()
    return LiveDesk(desk)


def test_stop(desk: Desk) -> None:
    live = filled(desk, 0.2)
    assert live.run("rollout") == 1
    assert live.out.startswith("fail  desk v2 against v1\nStop: v2 is worse than v1: errors")
    assert "both at once" in live.out
    assert "only that time is compared" in live.out


def test_not_yet(desk: Desk) -> None:
    live = filled(desk, 0.01, n=60)
    assert live.run("rollout") == 4
    assert "Not yet: about " in live.out


def test_safe(desk: Desk) -> None:
    live = filled(desk, 0.0, n=2500)
    assert live.run("rollout", "v1", "v2") == 0
    assert "Safe to go on: none of 4 figures of v2 fell by more than it may." in live.out


def test_json_and_markdown_say_the_same(desk: Desk) -> None:
    live = filled(desk, 0.2)
    found = desk.json("rollout", code=1)
    assert (found["verdict"], found["exit_code"], found["kind"]) == ("fail", 1, "split")
    assert (found["old"]["version"], found["new"]["version"]) == ("v1", "v2")
    errors = found["metrics"]["error_rate"]
    assert errors["verdict"] == "fail"
    low, high = errors["interval"]
    assert low <= errors["delta"] <= high < 0
    assert live.run("rollout", "--markdown") == 1
    assert live.out.startswith("# fail: desk v2 against v1")
    assert found["sentence"].split(":")[0] in live.out


def test_one_version_and_none_are_sentences(desk: Desk) -> None:
    now = time.time()
    live_store(desk.root, [Made(now - 60, "v1", "desk")], now).close()
    live = LiveDesk(desk)
    assert live.run("rollout") == 2
    assert "no two versions with live traffic" in live.err
    assert live.run("rollout", "v9") == 2
    assert "v9 has no live traffic in this time" in live.err
