"""Read the steps of a page of the docs: the commands of its console blocks, and what the page shows of their output."""

from __future__ import annotations

import re
from pathlib import Path

Step = tuple[str, list[str]]


def steps(page: Path) -> list[Step]:
    """Return the commands of the console blocks in order, each with the lines that the page shows of what it prints."""
    found: list[Step] = []
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.strip():
                found[-1][1].append(line.strip())
    return found


def lacking(shown: list[str], printed: str) -> list[str]:
    """Return the shown lines that are not in ``printed``; spaces and numbers may differ, and … is any text."""
    there = _plain(printed)
    return [line for line in shown if not re.search(".*".join(map(re.escape, _plain(line).split("…"))), there)]


def _plain(text: str) -> str:
    return re.sub(r"[+\u2212-]?\d[\d.,]*", "#", " ".join(text.split()))
