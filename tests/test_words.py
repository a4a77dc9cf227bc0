"""Plain words: openings and words that made readers stop are gone, each with the word that took their place."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import felicity
from tests.conftest import CHECKOUT

pytestmark = pytest.mark.quick
ROOT = Path(felicity.__file__).parent
MODULES = [path for path in sorted(ROOT.rglob("*.py")) if path.parent.name != "versions"]
PAGES = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "benchmarks").rglob("*.md"), *sorted((CHECKOUT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "reference" not in page.relative_to(CHECKOUT).parts]  # made from the code
NOTEBOOKS = sorted((CHECKOUT / "docs").rglob("*.ipynb"))
OTHERS = [path for path in sorted(ROOT.rglob("*")) if path.suffix in (".j2", ".js", ".toml", ".css", ".mako")]
OTHERS += [CHECKOUT / "Makefile", *sorted((CHECKOUT / "recipes").iterdir())]
BESIDE = [path for folder in ("tests", "scripts", "benchmarks") for path in sorted((CHECKOUT / folder).rglob("*.py"))]
LONGEST_SENTENCE, LONGEST_PARAGRAPH = 36, 120
"""Words: a sentence ends at a full stop, a colon or a semicolon; each item of a list is a paragraph."""

OPENINGS = (
    r"Whether|What|Which|How|Who|Whom|Whose|Why|Where|When|Of|So (?:many|much|often|far|long)|As (?:many|much|often)"
)
"""A docstring that begins so is a riddle: name the thing, or say Return …."""
NO_VERBS = (
    r"`|See\b|The\b|This\b|These\b|Its?\b|Likewise|None\b|True\b|False\b|[Uu]?[Ii]nt\d*\b|[Ff]loat\d*\b|Bool\b|Images?\b|"
    r"Rows?\b|Names?\b|Seconds\b|Area\b|Ends\b|Largest\b|Everything\b|Nothing\b|Numbers?\b|Times?\b|Counts\b|Within\b|"
    r"Until\b|Before\b|After\b|On\b|\w+s TrainingError"
)
"""A function's docstring that begins so lacks its verb."""
WORDS = {
    r"\btwins?\b": "near-duplicate",
    r"\brighter\b": "more accurate",
    r"\bhow often it is right\b(?! as)": "accuracy",
    r"\bgone on with\b": "resumed, or: its original settings",
    r"\bstands? twice\b": "duplicate …",
    r"\bwhat is (?:to be )?said\b": "the note, the error, the message",
    r"\bwhat users notice\b": "the changes",
    r"\bh[eo]lds? against\b(?! whoever)|\bhold(?:s|ing)? \w+(?: \w+){0,2} against\b": "compare with",
    r"\bby the labels of their other sources\b": "the second head",
    r"\bwhen nothing was done\b": "at placebo dates",
    r"\bsigns? of life\b": "heartbeat",
    r"\b(?:on|by) the (?:clocks? of|location's clock)|\bclocks? of (?:its|their) places?\b": "in the time zone of",
    r"\bone's own\b|\banybody's own\b|\bsomebody else's\b": "your own, or: of other packages",
    r"\bnobody(?: else)?'s business\b": "private",
    r"\bcr(?:y|ies) wolf\b": "false alarm",
    r"\bbefalls?\b|\bbefell\b": "happens, happened",
    r"\bfor want of\b": "without",
    r"\bnear duplicates?\b": "near-duplicate",
    r"\bis what was begun\b|\bwhere \W*folder\W* is none\b": "a resumed job, its original settings",
    r"\bwhere data are gone\b|\bof another size, … can be followed\b": "missing or mismatched data",
    r"\bnames of their own, but\b": "duplicate location name",
    r"\bas one from the folder of\b": "relative to the CSV",
    r"\basked for by name and have no\b": "for each requested location",
}
"""Words that are not the field's own, each with the better one. Code in backticks does not count."""
EXCEPTIONS = {
    (
        "src/felicity/datasets/prepared_manifest.py",
        r"\bnear duplicates?\b",
    ): "is a flag in manifests that exist already",
}
"""Texts that keep such a word, each with the reason."""
VERBATIM = {
    "src/felicity/__init__.py": "shows code",
    "src/felicity/errors.py": "draws a tree",
    "src/felicity/windows/forbidden.py": "lists words",
}
"""Modules with strings that are no sentences."""


def test_docstrings_name_the_thing_or_begin_with_a_verb() -> None:
    found = []
    for path in MODULES:
        for line, text, of_function in _docstrings(path):
            if re.match(rf"(?:{OPENINGS})\b", text) or (of_function and re.match(NO_VERBS, text)):
                found.append(f"{path.relative_to(ROOT)}:{line}: {text.splitlines()[0]}")
    assert not found, "a docstring names the thing; that of a function begins with a verb, such as Return"


def test_help_and_descriptions_name_the_thing_or_begin_with_a_verb() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in ("help", "description"):
                for part in ast.walk(node.value):
                    if isinstance(part, ast.Constant) and re.match(rf"(?:{OPENINGS})\b", str(part.value)):
                        found.append(f"{path.relative_to(ROOT)}:{part.lineno}: {part.value}")
    assert not found, "an option's help names the thing, or begins with a verb"


def test_texts_use_the_words_of_the_field() -> None:
    used, found = set(), []
    for name, line, text in _texts():
        prose = re.sub(r"`+[^`]*`+|\"[^\"]*\.\w+\"", lambda code: re.sub(r"[^\n]", "_", code.group()), text)
        for pattern, better in WORDS.items():
            if hit := re.search(pattern.replace(" ", r"\s+"), prose, re.IGNORECASE):
                used.add((name, pattern))
                if (name, pattern) not in EXCEPTIONS:
                    found.append(
                        f"{name}:{line + prose.count(chr(10), 0, hit.start())}: {hit.group()!r}; better: {better}"
                    )
    assert not found, "docs/glossary.md has the words"
    assert not EXCEPTIONS.keys() - used, "these are no exceptions any more"


def test_sentences_and_paragraphs_are_short() -> None:
    found = []
    for name, line, text in (*_pages(), *_strings(MODULES)):
        if name in VERBATIM:
            continue
        for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)", text):
            if paragraph.lstrip().startswith(("|", "#", "![")):
                continue
            sentences = re.split(r"(?<=[.!?:;])\s+", " ".join(paragraph.split()))
            long = [each for each in sentences if len(each.split()) > LONGEST_SENTENCE]
            if len(paragraph.split()) > LONGEST_PARAGRAPH and name.endswith(".md"):
                long.append(paragraph)
            found += [f"{name}:{line}: {len(each.split())} words: {each[:60]}" for each in long]
    assert not found, "divide these"


def _texts() -> Iterator[tuple[str, int, str]]:
    """Yield the prose of the whole project: pages, notebooks, templates, and strings and comments of the code."""
    yield from _pages()
    yield from _strings([path for path in (*MODULES, *BESIDE) if path != Path(__file__)])
    for path in OTHERS:
        yield path.relative_to(CHECKOUT).as_posix(), 1, path.read_text(encoding="utf-8")
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            yield path.relative_to(CHECKOUT).as_posix(), 1, "".join(cell["source"])
    for path in (*MODULES, *BESIDE):
        if path != Path(__file__):
            for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
                if token.type == tokenize.COMMENT:
                    yield path.relative_to(CHECKOUT).as_posix(), token.start[0], token.string


def _pages() -> Iterator[tuple[str, int, str]]:
    """Yield the paragraphs of pages without their code."""
    for path in PAGES:
        text = re.sub(
            r"^```.*?^```", lambda block: "\n" * block.group().count("\n"), path.read_text(), flags=re.M | re.S
        )
        line = 1
        for block in text.split("\n\n"):
            yield path.relative_to(CHECKOUT).as_posix(), line, block
            line += block.count("\n") + 2


def _strings(paths: Iterable[Path]) -> Iterator[tuple[str, int, str]]:
    """Yield the strings of the code that hold words."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
                yield path.relative_to(CHECKOUT).as_posix(), node.lineno, node.value


def _docstrings(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield line and text of each docstring, also of attributes, and whether it is a function's."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        body = getattr(node, "body", None)
        for index, part in enumerate(body if isinstance(body, list) else []):
            if (
                isinstance(part, ast.Expr)
                and isinstance(part.value, ast.Constant)
                and isinstance(part.value.value, str)
            ):
                of_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and index == 0
                yield part.lineno, part.value.value, of_function
