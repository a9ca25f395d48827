"""The documents of a retrieval: which files, and their text."""

from __future__ import annotations

from html.parser import HTMLParser

from llmops_tui.domain.canonical import lf
from llmops_tui.workspace.reader import TEXT_LIMIT, Reader

SUFFIXES = (".md", ".txt", ".rst", ".html", ".htm")
#: Text of a whole corpus.
CORPUS_LIMIT = 500_000_000


def read_corpus(reader: Reader, folder: str, file: str, line: int | None) -> dict[str, str]:
    """Path → text of every document below a folder of the workspace.

    A document that can't be used is a warning and left out; a corpus without one is a problem.

    Args:
        file, line: where the folder is named.
    """
    documents: dict[str, str] = {}
    total = 0
    for path in reader.tree(folder):
        if not path.lower().endswith(SUFFIXES):
            continue
        text = _document(reader, path)
        if text is None:
            continue
        total += len(text)
        if total > CORPUS_LIMIT:
            reader.fail(
                f"the documents of '{folder}' hold more than {CORPUS_LIMIT / 1e6:,.0f} MB",
                "name a smaller folder",
                file,
                line,
            )
            break
        if text.strip():
            documents[path] = text
    if not documents:
        reader.fail(
            f"'{folder}' holds no document",
            f"put files ({', '.join(SUFFIXES[:4])}) into it",
            file,
            line,
        )
    return documents


def _document(reader: Reader, path: str) -> str | None:
    target = reader.root / path
    if not target.resolve().is_relative_to(reader.root):
        reader.warn("left out: it leads outside the workspace", "copy it into the workspace", path)
        return None
    before = len(reader.problems)
    data = reader.data(path, TEXT_LIMIT)
    if data is None:
        # One bad document is no reason to stop: the others answer.
        del reader.problems[before:]
        reader.warn(f"left out: can't be read, or has more than {TEXT_LIMIT / 1e6:,.0f} MB", "", path)
        return None
    try:
        return _read(path, data)
    except UnicodeDecodeError as error:
        reader.warn(f"left out: not UTF-8 text at byte {error.start}", "save it as UTF-8", path)
        return None


def document_text(path: str, data: bytes) -> str | None:
    """The text of a document from its bytes; None where they are no UTF-8."""
    try:
        return _read(path, data)
    except UnicodeDecodeError:
        return None


def _read(path: str, data: bytes) -> str:
    text = lf(data.decode("utf-8-sig"))
    return html_text(text) if path.lower().endswith((".html", ".htm")) else text


class _Text(HTMLParser):
    """Text of a page: without scripts and styles, one paragraph for each block."""

    _BLOCKS = frozenset(
        "p div section article li ul ol table tr h1 h2 h3 h4 h5 h6 br pre blockquote".split()  # noqa: SIM905
    )
    _SILENT = frozenset(("script", "style", "template", "noscript"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._silent += tag in self._SILENT
        if tag in self._BLOCKS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self._SILENT))
        if tag in self._BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def html_text(page: str) -> str:
    """The text of an HTML page, paragraphs apart by a blank line."""
    parser = _Text()
    parser.feed(page)
    parser.close()
    blocks = (" ".join(block.split()) for block in "".join(parser.parts).split("\n\n"))
    return "\n\n".join(block for block in blocks if block) + "\n"
