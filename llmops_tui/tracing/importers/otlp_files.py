"""OpenTelemetry: files of OTLP, as JSON (one request, or one a line) or as protobuf."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from llmops_tui.tracing.importers.formats import Importer, importer
from llmops_tui.tracing.importers.portion import Portion
from llmops_tui.tracing.incoming import IncomingError, read_otlp
from llmops_tui.tracing.incoming.problems import BadSpan


@importer("otlp", "OTLP")
class Otlp(Importer):
    reads_bytes = True

    @classmethod
    def recognised(cls, record: Mapping[str, Any]) -> str:
        for name in ("resourceSpans", "resource_spans"):
            if isinstance(record.get(name), list):
                return f"it has {name}"
        return ""

    def read(self, record: dict[str, Any], into: Portion) -> None:
        self.take(msgspec.json.encode(record), into, is_json=True)

    def take(self, body: bytes, into: Portion, *, is_json: bool) -> None:
        """One request.

        Raises:
            BadSpan: it is none.
        """
        try:
            into.told(read_otlp(body, is_json=is_json))
        except IncomingError as error:
            raise BadSpan(str(error.problems[0])) from None
