"""A cross-validation as tables: for people, and for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from felicity.style import numbers
from felicity.style.latex import Printed
from felicity.style.tables import write_table

COLUMNS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "happy_f1": "happy F1",
    "loss": "loss",
}
SUMMARY = {"mean": "mean", "low": "95 % from", "high": "95 % to"}


def printed(result: dict[str, Any]) -> Printed:
    """Return a line per fold, then the mean and its interval; ``result``: the complete content of ``crossval.json``."""
    names = [name for name in COLUMNS if name in result["summary"]]

    def cells(row: dict[str, Any]) -> list[str]:
        return [f"{row[name]:.4f}" if name == "loss" else numbers.share(row[name], 2) for name in names]

    rows = [
        [str(fold["fold"]), str(fold["images"]["held_out"]), str(fold["best_epoch"]), *cells(fold)]
        for fold in result["folds"]
    ]
    for key, label in SUMMARY.items():
        rows.append([label, "", "", *cells({name: result["summary"][name][key] for name in names})])
    columns = ["fold", "held out", "epoch", *(COLUMNS[name] for name in names)]
    return Printed(f"{len(result['folds'])} folds, held-out images", columns, rows)


def write_tables(result: dict[str, Any], place: Path) -> None:
    """Write ``place`` with the endings .csv, a row per fold, and .tex, with the summary. Raises ConfigError."""
    rows = [
        {"fold": fold["fold"], "held_out": fold["images"]["held_out"], "best_epoch": fold["best_epoch"]}
        | {name: fold[name] for name in COLUMNS if name in fold}
        for fold in result["folds"]
    ]
    write_table(place.with_name(f"{place.name}.csv"), rows)
    write_table(place.with_name(f"{place.name}.tex"), [], printed=[printed(result)])
