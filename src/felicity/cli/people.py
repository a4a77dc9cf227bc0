"""The rates of a bundle by groups of people, as tables and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from felicity.cli import console

if TYPE_CHECKING:
    from felicity.evaluation.intervals import Estimate
    from felicity.evaluation.people import Column, Group, Serving

RATES = {
    "found": "found",
    "refused": "not judged",
    "recall": "happy called happy",
    "false_positive_rate": "others called happy",
}
"""Columns by rate."""


def people_by_group(
    model: str,
    data: str | None,
    by: Sequence[str],
    others: Mapping[str, object],
    *,
    table: Path | None,
    json: bool,
    **how: Any,
) -> None:
    """Measure and show the rates of ``model`` by group. Raises ConfigError if an option of ``others`` is given."""
    import felicity
    from felicity.errors import ConfigError

    if given := [flag for flag, value in others.items() if value]:
        raise ConfigError(f"--by writes no {', '.join(given)}; leave that out, or evaluate without --by")
    if data is None:
        raise ConfigError("--by needs labelled pictures of people; name them with --data")
    with console.progress() as bar:
        task = bar.add_task("reading pictures", total=None)
        found = felicity.compare_people(
            model, data, by, on_progress=lambda done, total: bar.update(task, completed=done, total=total), **how
        )
    _show(found, table, json=json)


def _show(found: Serving, table: Path | None, *, json: bool) -> None:
    if json:
        console.emit("evaluate-by", found.plain(), found.notes)
    else:
        heads = ("group", "pictures", "people", *RATES.values(), f"index at {100 * found.share:g} %")
        console.out.print(f"{found.model} on {found.data}, with 95 % intervals", markup=False)
        console.table(heads, [_cells(found.everybody)], numbers=heads[1:])
        for column in found.columns:
            console.table(heads, map(_cells, column.groups), title=column.name, numbers=heads[1:])
            for sentence in _sentences(column, found.share):
                console.out.print(sentence, markup=False, soft_wrap=True)
    console.notes(found.notes)
    if table is not None:
        from felicity.style.tables import write_table

        write_table(table, list(_rows(found)), title="Groups of people")
        console.say(f"written: {table}")


def _cells(group: Group) -> tuple[str, ...]:
    rates = (_percent(group.rates[rate]) for rate in RATES)
    return group.name, f"{group.pictures:,}", f"{group.people:,}", *rates, _percent(group.index)


def _percent(found: Estimate | None) -> str:
    if found is None or found.value != found.value:
        return "-"
    ends = "" if found.low != found.low else f" ({100 * found.low:.0f} to {100 * found.high:.0f})"
    return f"{100 * found.value:.1f} %{ends}"


def _sentences(column: Column, share: float) -> Iterator[str]:
    differ = [f"{RATES[rate]} (p {p:.3f})" for rate, p in column.p.items() if p is not None and p < 0.05]
    if differ:
        yield f"{column.name}: more than by chance differ {', '.join(differ)}."
    else:
        yield f"{column.name}: no rate differs by more than chance explains."
    if column.apart is not None:
        higher, lower, gap = column.apart
        ends = "" if gap.low != gap.low else f" (95 % interval {100 * gap.low:.1f} to {100 * gap.high:.1f})"
        yield (
            f"{column.name}: of two places where {100 * share:g} % look happy, the one of {higher} alone reads "
            f"{100 * gap.value:.1f} points higher than the one of {lower} alone{ends}."
        )


def _rows(found: Serving) -> Iterator[dict[str, Any]]:
    groups = [("", found.everybody), *((c.name, group) for c in found.columns for group in c.groups)]
    for column, group in groups:
        row: dict[str, Any] = {
            "column": column,
            "group": group.name,
            "pictures": group.pictures,
            "people": group.people,
        }
        for name, figure in (*group.rates.items(), ("index", group.index)):
            for end in ("value", "low", "high"):
                value = float("nan") if figure is None else float(getattr(figure, end))
                row[name if end == "value" else f"{name}_{end}"] = None if value != value else value
        yield row
