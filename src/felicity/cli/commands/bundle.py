"""``felicity bundle``: what a bundle says of itself, and whether it is whole."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from felicity.cli import console, options

Where = Annotated[
    str | None, typer.Argument(metavar="[PATH]", help="A bundle's folder or shipped name (default: the shipped one).")
]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Show and verify bundles: weights with their facts.", no_args_is_help=True)
    group.command()(show)
    group.command()(verify)
    app.add_typer(group, name="bundle")


def show(where: Where = None, json: options.Json = False) -> None:
    """Print labels, input, calibration, where it was trained and how well it does."""
    from felicity.models.bundle import open_bundle

    bundle = open_bundle(where)
    facts = bundle.facts
    if json:
        console.emit_json({"id": bundle.id, "path": str(bundle.folder)} | facts.model_dump())
        return
    rows: list[tuple[str, Any]] = [
        ("id", bundle.id),
        ("folder", bundle.folder),
        ("weights", f"{facts.weights}, {bundle.weights.stat().st_size / 1e6:.1f} MB, SHA-256 {facts.weights_sha256}"),
        ("input", f"{facts.input.size}x{facts.input.size} {facts.input.colour}"),
        ("trained on", facts.trained_on),
        ("calibrated on", facts.calibrated_on),
        ("temperature", facts.temperature),
        ("licence", facts.licence),
        ("made with", facts.made_with),
    ]
    for name, measured in facts.metrics.items():
        rows.append((name, ", ".join(f"{k} {v}" for k, v in measured.items())))
    console.table(("fact", "value"), rows)
    columns = [label[:8] for label in facts.labels]
    console.table(
        ("label", "faces", "recall", *columns),
        [
            (label, sum(row), f"{row[i] / max(sum(row), 1):.0%}", *row)
            for i, (label, row) in enumerate(zip(facts.labels, facts.confusion, strict=True))
        ],
        title="Answers to held-out faces, by label",
        numbers=("faces", "recall", *columns),
    )


def verify(where: Where = None, json: options.Json = False) -> None:
    """Check that a bundle is whole, unchanged, and runs."""
    import numpy as np

    from felicity.recognition.classifier import Classifier

    classifier = Classifier.open(where)
    size = (classifier.input.size,) * 2 + ((3,) if classifier.input.channels == 3 else ())
    probe = np.random.default_rng(0).integers(0, 256, (3, *size), dtype=np.uint8)
    together = classifier.probabilities(probe)
    alone = np.concatenate([classifier.probabilities(probe[i : i + 1]) for i in range(3)])
    if not np.isfinite(together).all() or np.abs(together - alone).max() > 1e-5:
        from felicity.errors import BundleError

        raise BundleError(f"{classifier.bundle.folder}: answers depend on the batch or are not numbers; do not use it")
    if json:
        console.emit_json({"id": classifier.bundle.id, "ok": True})
    else:
        console.out.print(f"{classifier.bundle.id} is whole, unchanged, and runs", markup=False)
