"""Traces that other tools have kept → batches as a live system sends them. One file an importer.

An importer is a class with `recognised` and `read`, made known by `@importer(name, title)`; they are asked in
the order of `_MODULES` whether a record is theirs.
"""

from llmops_tui.tracing.importers import (
    langfuse,
    langsmith,
    litellm_logs,
    openai_chat,
    otlp_files,
    phoenix,
    plain,
)
from llmops_tui.tracing.importers.formats import FORMATS, CannotImport
from llmops_tui.tracing.importers.plain import WORDS, mapping_of
from llmops_tui.tracing.importers.reading import Reached, read_files

_MODULES = (langfuse, langsmith, litellm_logs, openai_chat, otlp_files, phoenix, plain)

__all__ = ["FORMATS", "WORDS", "CannotImport", "Reached", "mapping_of", "read_files"]
