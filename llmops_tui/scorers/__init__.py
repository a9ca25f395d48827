"""What judges an output: one small file a family, one registry.

`domain.scorers` is the catalogue (names, options, examples); here are the functions. Libraries are
imported by the scorer that needs them, when it is first used.
"""

from llmops_tui.scorers import (
    grounding,
    guardrails,
    json_,
    length,
    number,
    pattern,
    refusal,
    resources,
    similarity,
    sources,
    text,
    tools,
)
from llmops_tui.scorers.judging import from_return, judge
from llmops_tui.scorers.registry import BUILT_INS, CannotJudge, Judgement, scorer

#: Importing a family registers its scorers.
FAMILIES = (
    *(text, pattern, length, json_, number, similarity, resources, refusal, tools, grounding, sources),
    guardrails,
)

__all__ = ["BUILT_INS", "FAMILIES", "CannotJudge", "Judgement", "from_return", "judge", "scorer"]
