"""The keys of the template, pinned: a release that changes one asks every team's models anew.

A change here is a decision: raise `KEY_SCHEMA` with it, and say so in the changelog. The template's own
texts may change; then these are remade, and only the parts that were edited may differ.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from llmops_tui.domain.call import ChatRequest, request_key
from llmops_tui.domain.manifest import Part, make_manifest, make_part
from llmops_tui.domain.output import output_key, target_hash
from llmops_tui.domain.score import score_key
from llmops_tui.workspace import load, template

#: The installed runtime's version is in a pin; here it is one that never changes.
RUNTIME = "xllamacpp 0"

GOLDEN = {
    "corpus": "f274e72981f33d28838e53de8519f421ae7038636ab8eebe8daf87c70ba1eed1",
    "models.local/smollm2-135m-instruct": "83af6db645c089389bbc2c15b8ac183b0b5088ba148a6be2dc745a9cdef54ffe",
    "params.max_tokens": "39fa9ec190eee7b6f4dff1100d6343e10918d044c75eac8f9e9a2596173f80c9",
    "params.seed": "7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451",
    "params.stop": "25f7284600c10410eb5fa9054d043c886dbdc68792deac53f1459dd6600b3fce",
    "params.temperature": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
    "prompt": "7a0d3a25aeda58eab1864ad49534d70791a8a613bad479b6034b43a67e799e9f",
    "retrieval": "1d7eb98336878de262afabd4befaf0dfa73809127c74b13084787887caf3d0ef",
    "version": "77700c0b117a20a84cd785d2a1227642491948cad067b86f5ae4d3d7801a91eb",
    "target": "2a82e959fddd45b999db236539874247b6c6e988c1d6025e9eac400aac065772",
    "inputs": "42abd8c6fec8f80b88ffe3ffd27edc657e1c98e642bfd3565696376fae27f0f4",
    "output": "0d197fbd5c84f07108b2a9395bde1e3d8b5bdad114253e67ba04352442d5d969",
    "request": "c4f289c5bb13d60e00b16affd4c550eb40f837914f8ef821ea7b12e0de1424c0",
    "score max_words": "c2b7198a1fda6964ca9c324fd56343c1eee7f95d917732beffdd84749d22eb62",
    "score contains": "39fc8454c920eb7d4198bdee98d8976553704880303413a0c0661ed0235da546",
}


def keys_of_the_template() -> dict[str, str]:
    workspace = load(template.source())
    assert not workspace.errors
    configuration = workspace.configurations["helpdesk"]
    model = configuration.models[0]
    model = msgspec.structs.replace(model, pin={**model.pin, "runtime": RUNTIME})

    def fixed(part: Part) -> Part:
        return make_part("models", part.name, model.identity()) if part.kind == "models" else part

    manifest = make_manifest([fixed(p) for p in configuration.manifest.parts])
    case = configuration.cases[0]
    request = ChatRequest(({"role": "user", "content": "How long?"},), configuration.target.params)
    pin = manifest.part("models", model.id)
    assert pin is not None
    return {
        **{p.label: p.hash for p in manifest.parts},
        "version": manifest.hash,
        "target": target_hash(manifest),
        "inputs": case.inputs_hash(),
        "output": output_key(target_hash(manifest), pin.hash, case.inputs_hash()),
        "request": request_key(model, request),
        **{f"score {use.label}": score_key(use, case) for use in case.scorers},
    }


def test_the_keys_of_the_template_are_what_they_were() -> None:
    assert keys_of_the_template() == GOLDEN


def test_the_template_has_no_mistake_and_fits_six_lines() -> None:
    lines = Path(template.source(), "configs/helpdesk.yaml").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) <= 6
