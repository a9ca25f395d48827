"""Run as a process: writes batches for ever and says, on a line each, what is committed."""

from __future__ import annotations

import sys
from pathlib import Path

from store_flow import call, result, start, version

from llmops_tui.store import Store


def main(path: Path, name: str, batches: int) -> None:
    with Store.open(path) as store:
        run = start(store, version(store, name, config=name), 10_000)
        print("run", run.id, flush=True)
        for batch in range(batches):
            names = [f"{name}-{batch}-{n}" for n in range(5)]
            items = store.record(
                run.id,
                calls=[call(case, f"answer to {case}" * 50) for case in names],
                results=[
                    result(batch * 5 + n, case, f"answer to {case}" * 50) for n, case in enumerate(names)
                ],
                at=1.0,
            )
            print(*[f"{i.output_id}={i.case_id}" for i in items], flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
