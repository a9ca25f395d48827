"""What providers and models do wrong: each failure is named, each answer is data and never a command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from desk import CONFIG, EVALS, PROMPT, Desk
from fake_openai import Asked, Reply
from serving import serving


def write(root: Path, **files: str) -> None:
    """Files by their stem: configs, settings, evals, prompt, scorers."""
    places = {
        "config": "configs/desk.yaml",
        "settings": "llmops.yaml",
        "evals": "evals/desk.yaml",
        "prompt": "prompts/desk.md",
        "scorers": "scorers.py",
    }
    for name, text in files.items():
        (root / places[name]).write_text(text, encoding="utf-8")


def on(model: str) -> str:
    return CONFIG.replace("echo/parrot", model)


def test_a_provider_that_nobody_answers_for(desk: Desk) -> None:
    write(desk.root, config=on("gateway/some-model"), settings=gateway("http://127.0.0.1:9/v1"))
    result = desk.json("run", code=3)
    assert result["errors"] == 4
    assert "gateway can't be reached at 127.0.0.1:9" in result["failures"][0]


def gateway(url: str, more: str = "retries: 0") -> str:
    return f'providers: {{gateway: {{base_url: "{url}", {more}}}}}\n'


@pytest.mark.parametrize(
    ("quirk", "more", "sentence"),
    [
        ("hang", "retries: 0, timeout_s: 0.2", "gateway did not finish its answer within 0.2 s; raise prov"),
        ("hang-midway", "retries: 0, timeout_s: 0.2", "gateway did not finish its answer within 0.2 s"),
        ("dropped-always", "retries: 0", "gateway dropped the connection before its answer was complete"),
        ("closed-always", "retries: 0", "gateway dropped the connection before its answer was complete"),
        ("malformed-always", "retries: 0", "gateway sent an answer that can't be read: it is not JSON: upst"),
        ("429-always", "retries: 0", "gateway answered 429: Rate limit reached for requests; lower provide"),
        ("quota", "retries: 1", "the account of gateway has no credit left: see its plan and billing"),
        ("401", "retries: 1", "look at the key of gateway: providers.gateway.api_key in llmops.yaml"),
        ("404", "retries: 1", "look whether gateway serves a model 'quirk-404' and you may use it"),
    ],
)
def test_a_provider_that_fails_is_named_and_asked_again_by_the_next_run(
    desk: Desk, quirk: str, more: str, sentence: str
) -> None:
    with serving() as server:
        model = f"gateway/quirk-{quirk}"
        write(desk.root, config=on(model), settings=gateway(server.url, more))
        code, out, err = desk("run", "--limit", "1")
        assert (code, err) == (3, "")
        assert f"✗ {sentence}" in out or f"; {sentence}" in out
        result = desk.json("run", code=3)
        assert sentence in result["failures"][0]
        assert (result["errors"], result["passed"], result["provider_calls"]) == (4, 0, 4)
        assert server.count == 5  # a failure is never taken for an answer
        # Nothing that failed becomes what others are held against.
        assert desk.json("versions")["versions"][0]["is_baseline"] is False


def test_a_rate_limit_is_waited_for(desk: Desk) -> None:
    with serving() as server:
        write(desk.root, config=on("gateway/quirk-429"), settings=gateway(server.url, "retries: 1"))
        result = desk.json("run")
        assert (result["errors"], result["provider_calls"], server.count) == (0, 4, 8)


# -- what a model may write

HOSTILE = {
    "escapes": "a\x1b[31mred\x1b]0;title\x07\x1b]8;;http://x\x07link\x1b[2J\x9b1m",
    "markup": "[bold red]x[/] [link=http://e]y <script>alert(1)</script> | a | ``` \n```\n# h ![i](http://e/x.png)",
    "bidi": "abc\u202eDROP\u2066x\u2069",
    "surrogates": "lone \ud800 here",
    "nul": "a\x00b\x07\x08c",
    "a long line": "x" * 1_000_000,
    "line ends": "a\r\nb\rc\u2028d\u0085e",
}
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def hostile(asked: Asked) -> Reply:
    text = HOSTILE[asked.said.removesuffix("!")] + ("!" if asked.said.endswith("!") else "")
    message = {"role": "assistant", "content": text}
    body = {
        "model": "served\x1b[31m\u202e",
        "system_fingerprint": "fp\x1b[2J",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop\x1b[1m"}],
    }
    return Reply(pieces=[json.dumps(body).encode()])


def test_nothing_that_a_model_writes_reaches_the_terminal_as_a_command(desk: Desk) -> None:
    cases = [
        {"id": id_, "vars": {"question": id_}, "scorers": [{"equals": "x"}, {"similarity": "abc"}, "is_json"]}
        for id_ in HOSTILE
    ]
    with serving(hostile) as server:
        write(
            desk.root,
            config=on("gateway/some-model"),
            settings=gateway(server.url),
            evals=json.dumps({"cases": cases}),
            prompt="user:\n{{ question }}\n",
        )
        said = [desk("run")]
        desk.edit_prompt("user:\n{{ question }}!\n")
        said.append(desk("run"))
    verbs = (["compare"], ["report"], ["versions"], ["show", "latest"], ["check"])
    said += [desk(*verb) for verb in verbs]
    for code, out, err in said:
        assert (code, OBEYED.findall(out + err)) == (0, [])
    report = said[3][1]
    assert "<script>" not in re.sub(r"(?s)(`{3,}).*?\1", "", report)
    for verb in verbs[:4]:
        code, out, _ = desk(*verb, "--json")
        assert (code, out.isascii()) == (0, True)
    texts = {c["id"]: c["candidate_output"] for c in desk.json("compare")["cases"]}
    # As written, for whoever takes it as data; only half a character can't be kept.
    assert texts == {k: v.replace("\ud800", "\ufffd") + "!" for k, v in HOSTILE.items()}


def test_python_of_the_workspace_that_fails_says_where(desk: Desk) -> None:
    write(
        desk.root,
        scorers="def mine(output):\n    raise ValueError('\\x1b[31m half \\ud83d')\n",
        evals=EVALS.replace("{contains: 30 days}", "mine"),
    )
    result = desk.json("run", "--trust", code=3)
    assert (result["errors"], result["passed"]) == (1, 1)
    [why] = result["failures"]
    assert why.startswith("mine: scorers.py:2 ValueError: ")
    code, out, _ = desk("run")
    assert (code, OBEYED.findall(out), "scorers.py:2" in out) == (3, [], True)


def test_a_template_that_fails_on_a_case_costs_that_case_alone(desk: Desk) -> None:
    prompt = PROMPT + "{% if question == 'How long?' %}{{ 1 / 0 }}{% endif %}"
    desk.edit_prompt(prompt)
    result = desk.json("run", code=3)
    assert (result["cases"], result["errors"], result["passed"]) == (4, 1, 1)
    assert result["failures"] == [
        "the prompt can't be rendered for this case: the user message: ZeroDivisionError: division by zero"
    ]
