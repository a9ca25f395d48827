"""Versions of the workspace's modules, side by side in one process."""

from __future__ import annotations

import inspect
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from llmops_tui.worker.code import CodeError, WorkspaceCode
from llmops_tui.worker.modules import ModuleSet

Make = Callable[..., ModuleSet]


@pytest.fixture
def modules() -> Iterator[Make]:
    made: list[ModuleSet] = []

    def make(**sources: str) -> ModuleSet:
        paths = {
            f"{name.replace('__', '/')}.py".replace("/init", "/__init__"): s for name, s in sources.items()
        }
        made.append(ModuleSet(paths, "/nowhere"))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_two_versions_of_a_helper_are_in_use_at_once(modules: Make) -> None:
    app = "import helper\nfrom helper import word\ndef say(): return (helper.word, word)"
    one, two = modules(app=app, helper="word = 'one'"), modules(app=app, helper="word = 'two'")
    first, second = one.get("app:say"), two.get("app:say")
    assert (first(), second(), first()) == (("one", "one"), ("two", "two"), ("one", "one"))


def test_nobody_else_sees_the_modules_by_their_names(modules: Make) -> None:
    modules(helper_of_nobody="x = 1").module("helper_of_nobody")
    assert "helper_of_nobody" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        import helper_of_nobody  # type: ignore[import-not-found]  # noqa: F401


@pytest.mark.parametrize(
    "source",
    [
        "import lib.words\ndef f(): return lib.words.word",
        "import lib.words as w\ndef f(): return w.word",
        "from lib import words\ndef f(): return words.word",
        "from lib.words import word\ndef f(): return word",
        "from lib.words import *\ndef f(): return word",
        "from lib import word\ndef f(): return word",
        "from lib.deep.below import word\ndef f(): return word",
        "def f():\n    from lib.words import word\n    return word",
        "import importlib\ndef f(): return importlib.import_module('lib.words').word",
        "from importlib import import_module\ndef f(): return import_module('.words', 'lib').word",
        "import importlib.util, importlib\ndef f(): return importlib.import_module('lib.words').word",
        "def f(): return __import__('lib.words').words.word",
        "def f(): exec('import lib.words as w', space := {}); return space['w'].word",
        "from .lib.words import word\ndef f(): return word",
    ],
)
def test_every_way_to_import_finds_the_versions_own(modules: Make, source: str) -> None:
    found = modules(
        app=source,
        lib__init="from .words import word",
        lib__words="word = 'ours'",
        lib__deep__below="from ..words import word",
    ).get("app:f")
    assert found() == "ours"


def test_a_folder_without_an_init_is_a_package(modules: Make) -> None:
    assert modules(app="import bare.words\nf = lambda: bare.words.x", bare__words="x = 1").get("app:f")() == 1


def test_a_module_that_is_called_like_one_of_python_is_the_workspaces_own(modules: Make) -> None:
    app = "import statistics, json\ndef f(): return statistics.mine, json.dumps([1])"
    assert modules(app=app, statistics="mine = True").get("app:f")() == (True, "[1]")


def test_what_looks_up_its_module_by_name_finds_it(modules: Make) -> None:
    source = """
from __future__ import annotations
import dataclasses, pydantic, typing
class Word(pydantic.BaseModel):
    text: str
    next: Word | None = None
@dataclasses.dataclass
class Pair:
    left: Word
    right: dataclasses.InitVar[int] = 0
def hints(): return typing.get_type_hints(Pair)['left'] is Word
def nested(): return Word.model_validate({'text': 'a', 'next': {'text': 'b'}}).next.text
"""
    ours = modules(app=source)
    assert ours.get("app:hints")()
    assert ours.get("app:nested")() == "b"
    word = ours.get("app:Word")(text="a")
    assert pickle.loads(pickle.dumps(word)) == word
    assert "class Word" in inspect.getsource(type(word))
    assert ours.module("app").__file__ == "/nowhere/app.py"


def test_the_code_of_a_module_runs_once_however_many_threads_ask(modules: Make) -> None:
    ours = modules(
        app="import threading\nran = []\nran.append(1)\nthreading.Event().wait(0.02)\nf = lambda: len(ran)"
    )
    with ThreadPoolExecutor(8) as pool:
        assert {f() for f in pool.map(lambda _: ours.get("app:f"), range(8))} == {1}


def test_a_circle_of_imports_is_as_python_has_it(modules: Make) -> None:
    ours = modules(a="import b\nx = 1\ndef f(): return b.y()", b="import a\ndef y(): return a.x")
    assert ours.get("a:f")() == 1


def test_a_method_of_a_class_can_be_named(modules: Make) -> None:
    source = "class Bot:\n    @staticmethod\n    def answer(): return 'yes'"
    assert modules(app=source).get("app:Bot.answer")() == "yes"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("app", "write module:function"),
        ("app:", "write module:function"),
        ("ap:answer", "there is no module 'ap' in the workspace; did you mean 'app'?"),
        ("app:anwser", "'app' has no function 'anwser'; did you mean 'answer'?"),
        ("json:dumps", "there is no module 'json' in the workspace"),
    ],
)
def test_a_name_that_is_not_there_is_said_with_what_was_meant(modules: Make, spec: str, said: str) -> None:
    with pytest.raises(LookupError) as caught:
        modules(app="def answer(): pass").get(spec)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("\n\nimport no_such_thing", "app.py:3 ModuleNotFoundError: No module named 'no_such_thing'"),
        ("import lib.gone", "app.py:1 ModuleNotFoundError: No module named 'lib.gone'"),
        ("from lib.words import wrod", "app.py:1 ImportError: cannot import name 'wrod' from 'lib.words'"),
        ("from lib import gone", "app.py:1 ImportError: cannot import name 'gone' from 'lib'"),
        ("import lib.broken", "lib/broken.py:2 SyntaxError"),
        ("x = 1\n1 / 0", "app.py:2 ZeroDivisionError: division by zero"),
        ("import lib.raises", "lib/raises.py:1 ValueError: no"),
        ("import sys\nsys.exit(2)", "app.py:2 SystemExit: 2"),
        ("from .. import x", "app.py:1 ImportError: attempted relative import beyond top-level package"),
    ],
)
async def test_a_module_that_can_not_be_loaded_is_a_sentence(modules: Make, source: str, said: str) -> None:
    ours = modules(
        app=source,
        lib__init="",
        lib__words="word = 1",
        lib__broken="x = 1\ndef (:",
        lib__raises="raise ValueError('no')",
    )
    code = WorkspaceCode({}, "/nowhere", 5.0)
    with pytest.raises(CodeError) as caught:
        await code.call(lambda: ours.get("app:f"))
    assert str(caught.value).startswith(said)


def test_what_lies_on_disk_and_is_not_of_the_version_is_not_found(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "lib").mkdir()
    (folder / "lib/later.py").write_text("x = 1", encoding="utf-8")
    ours = ModuleSet({"lib/__init__.py": "", "app.py": "def f():\n    import lib.later"}, str(folder))
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'lib\.later'"):
        ours.get("app:f")()
    ours.close()


def test_functions_go_on_working_after_their_version_is_forgotten(modules: Make) -> None:
    ours = modules(app="import helper\ndef f(): return helper.x", helper="x = 1")
    found = ours.get("app:f")
    before = set(sys.modules)
    ours.close()
    assert found() == 1
    assert before - set(sys.modules)
    assert ours not in sys.meta_path


def test_a_hook_is_told_of_imports(modules: Make) -> None:
    told = threading.Event()
    ours = ModuleSet({"app.py": "import json"}, "/nowhere", told.set)
    ours.module("app")
    ours.close()
    assert told.is_set()


def test_files_of_commands_are_no_modules(modules: Make) -> None:
    ours = ModuleSet({"app.py": "import tool", "tool": "\0sha256:ff", "answer.js": "1"}, "/nowhere")
    assert ours.names == ["app"]
    with pytest.raises(ModuleNotFoundError, match="No module named 'tool'"):
        ours.module("app")
    ours.close()
