"""`trace export`: into files that the protocol's own classes read, and to a collector on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from desk import make_desk
from fake_collector import Collector, Reply, collecting, partial
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llmops_tui.cli.main import main
from llmops_tui.cli.shell import Shell
from llmops_tui.cli.trace_export import trace_export
from llmops_tui.domain.errors import LlmopsError

CASES = {"days", "hours", "refund", "unjudged"}


@pytest.fixture
def root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A desk that was evaluated."""
    folder = make_desk(tmp_path / "desk")
    main(["run", "--workspace", str(folder)], lambda *_: 0)
    capsys.readouterr()
    return folder


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setenv("NO_PROXY", "*")
    with collecting() as found:
        yield found


def run(root: Path, *arguments: str, as_json: bool = False) -> Result:
    shell = Shell(lambda *_: 0, as_json=as_json)
    given = [*arguments, "--workspace", str(root), *(["--json"] if as_json else [])]
    return CliRunner().invoke(trace_export, given, obj=shell, standalone_mode=False)


def said(result: Result) -> str:
    assert isinstance(result.exception, LlmopsError | click.ClickException), result.exception
    return str(result.exception)


def roots(request: ExportTraceServiceRequest) -> set[str]:
    scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
    return {span.name for scope in scopes for span in scope.spans if not span.parent_span_id}


def from_json(made: Any) -> ExportTraceServiceRequest:
    import base64

    for resource in made["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return ParseDict(made, ExportTraceServiceRequest())


class TestIntoAFile:
    def test_protobuf(self, root: Path, tmp_path: Path) -> None:
        result = run(root, "--file", str(tmp_path / "out.pb"))
        assert result.return_value == 0
        assert result.output.startswith("written 4 traces of desk v1 (")
        assert roots(ExportTraceServiceRequest.FromString((tmp_path / "out.pb").read_bytes())) == CASES

    def test_json_is_the_same(self, root: Path, tmp_path: Path) -> None:
        run(root, "--file", str(tmp_path / "out.pb"))
        run(root, "--file", str(tmp_path / "out.json"))
        whole = ExportTraceServiceRequest.FromString((tmp_path / "out.pb").read_bytes())
        assert from_json(json.loads((tmp_path / "out.json").read_text())) == whole

    def test_a_request_a_line(self, root: Path, tmp_path: Path) -> None:
        run(root, "days", "hours", "--file", str(tmp_path / "out.jsonl"))
        lines = (tmp_path / "out.jsonl").read_text().splitlines()
        assert {name for line in lines for name in roots(from_json(json.loads(line)))} == {"days", "hours"}

    def test_an_ending_that_says_nothing(self, root: Path, tmp_path: Path) -> None:
        result = run(root, "--file", str(tmp_path / "out.txt"))
        assert said(result) == "'out.txt' does not say what to write; its ending is one of .json, .jsonl, .pb"

    def test_a_folder_that_is_not_there(self, root: Path, tmp_path: Path) -> None:
        assert "No such file" in said(run(root, "--file", str(tmp_path / "none/out.pb")))

    def test_as_json(self, root: Path, tmp_path: Path) -> None:
        answer = json.loads(run(root, "days", "--file", str(tmp_path / "o.pb"), as_json=True).output)
        assert (answer["config"], answer["version"], answer["traces"]) == ("desk", "v1", 1)
        assert answer["file"] == str(tmp_path / "o.pb")


class TestToAnEndpoint:
    def test_all_of_a_version(self, root: Path, collector: Collector) -> None:
        result = run(root, "--otlp", collector.url)
        assert result.return_value == 0
        assert {name for request in collector.requests for name in roots(request)} == CASES
        assert f"to {collector.url}/v1/traces" in result.output

    def test_headers_are_filled_in_and_not_shown(
        self, root: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (root / ".env").write_text("TRACES_KEY=sesame\n")
        result = run(root, "--otlp", collector.url, "--header", "Authorization=Bearer ${TRACES_KEY}")
        assert collector.headers[0]["authorization"] == "Bearer sesame"
        assert "sesame" not in result.output

    def test_a_variable_that_is_not_set(self, root: Path, collector: Collector) -> None:
        text = said(run(root, "--otlp", collector.url, "--header", "x-api-key=${NOT_THERE}"))
        assert "needs the variable NOT_THERE, which is not set; set it in the environment" in text
        assert collector.requests == []

    def test_as_the_settings_have_it(self, root: Path, collector: Collector) -> None:
        otlp = {"endpoint": collector.url, "headers": {"x-api-key": "${K}"}, "project": "desk"}
        (root / "llmops.yaml").write_text(json.dumps({"tracing": {"otlp": otlp}}))
        (root / ".env").write_text("K=abc\n")
        assert run(root, "days").return_value == 0
        assert collector.headers[0]["x-api-key"] == "abc"
        resource = collector.requests[0].resource_spans[0].resource
        assert "desk" in [each.value.string_value for each in resource.attributes]

    def test_twice_is_the_same_spans(self, root: Path, collector: Collector) -> None:
        run(root, "--otlp", collector.url)
        run(root, "--otlp", collector.url)
        assert collector.requests[0] == collector.requests[1]

    def test_some_refused_is_incomplete(self, root: Path, collector: Collector) -> None:
        collector.replies = [Reply(200, partial(1, "too old"))]
        result = run(root, "--otlp", collector.url, as_json=True)
        assert result.return_value == 3
        assert json.loads(result.output)["said"] == ["too old"]

    def test_no_place_at_all(self, root: Path) -> None:
        assert "no place to export to is given; name one with --file FILE or --otlp URL" in said(run(root))


class TestTheCall:
    def test_a_misspelt_case(self, root: Path, tmp_path: Path) -> None:
        text = said(run(root, "day", "--file", str(tmp_path / "o.pb")))
        assert text == "v1 was not evaluated on a case 'day'; did you mean 'days'?"

    def test_two_places(self, root: Path) -> None:
        assert "name one" in said(run(root, "--file", "o.pb", "--otlp", "http://localhost"))

    def test_a_header_without_a_value_is_not_shown(self, root: Path) -> None:
        text = said(run(root, "--otlp", "http://localhost", "--header", "sesame"))
        assert "sesame" not in text

    def test_a_version_that_is_not_there(self, root: Path) -> None:
        assert "v9" in said(run(root, "--version", "v9", "--file", "o.pb"))


def test_settings_of_tracing_are_checked(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    otlp = {"endpoint": "localhost", "headers": {"x-api-key": "written out"}}
    (root / "llmops.yaml").write_text(json.dumps({"tracing": {"otlp": otlp}}))
    main(["check", "--workspace", str(root)], lambda *_: 0)
    shown = capsys.readouterr()
    assert "the endpoint of tracing is not a URL" in shown.out + shown.err
    assert "a key is written out in a file that is in git" in shown.out + shown.err
    assert "written out}" not in shown.out
