"""One row per rival: as a table for people, and in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Row = dict[str, Any]


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def accuracy(row: Row, labels: str) -> str:
    found = row["crops"][labels]
    low, high = found["intervals"]["accuracy"]
    return f"{percent(found['accuracy'])} ({percent(low)}-{percent(high)})"


def rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


COLUMNS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("rival", lambda row: row["rival"]),
    ("FER2013 %", lambda row: accuracy(row, "FER2013")),
    ("balanced", lambda row: percent(row["crops"]["FER2013"]["balanced_accuracy"])),
    ("happy F1", lambda row: percent(row["crops"]["FER2013"]["happy_f1"])),
    ("FER+ %", lambda row: accuracy(row, "FER+")),
    ("happy F1", lambda row: percent(row["crops"]["FER+"]["happy_f1"])),
    ("threads", lambda row: str(row["threads"])),
    ("faces/s at 1", lambda row: rate(row["speed"]["faces_per_second"]["1"])),
    ("16", lambda row: rate(row["speed"]["faces_per_second"]["16"])),
    ("64", lambda row: rate(row["speed"]["faces_per_second"]["64"])),
    ("x fer", lambda row: f"{row['speed']['times_fer']:.2f}"),
    ("found", lambda row: f"{row['pictures']['found']} of {row['pictures']['n']}"),
    ("right", lambda row: str(row["pictures"]["right"])),
    ("images/s", lambda row: rate(row["pictures"]["images_per_second"])),
)


def cells(rows: Sequence[Row]) -> list[list[str]]:
    """Header and rows; a dash where something was not measured."""

    def cell(show: Callable[[Row], str], row: Row) -> str:
        try:
            return show(row)
        except KeyError:
            return "-"

    return [[title for title, _ in COLUMNS], *([cell(show, row) for _, show in COLUMNS] for row in rows)]


def notes(result: dict[str, Any]) -> list[str]:
    """What one must know to read the table, and who is not in it."""
    own, votes = result["faces"]["FER2013"], result["faces"]["FER+"]
    against = [row["speed"]["against"] for row in result["rivals"] if "against" in row["speed"]]
    ratio = f"; x fer: times the speed of {against[0]}, at batch 64" if against else ""
    lines = [
        f"Crops: {own:,} faces of FER2013's PublicTest by its labels, {votes:,} by FER+'s majority; intervals 95 %.",
        f"Speed: the network alone, median of rounds in turns ({result['rounds']}){ratio}.",
    ]
    if detectors := [f"{row['rival']}: {row['detector']}" for row in result["rivals"] if "pictures" in row]:
        lines.append(f"Pictures: each with its own detector ({'; '.join(detectors)}); right: happy against not happy.")
    versions = dict.fromkeys(f"{name} {number}" for row in result["rivals"] for name, number in row["versions"].items())
    lines.append(f"Versions: {', '.join(versions)}; {result['cores']} cores.")
    return lines + [f"Left out: {one['rival']}: {one['reason']}." for one in result["left_out"]]


def text(result: dict[str, Any]) -> str:
    """For people."""
    table = cells(result["rivals"])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in table
    ]
    return "\n".join([*lines, "", *notes(result)])


def markdown(result: dict[str, Any]) -> str:
    """For a document."""
    head, *rows = cells(result["rivals"])
    lines = [head, ["---", *("---:",) * (len(head) - 1)], *rows]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", *(f"- {line}" for line in notes(result))])
