"""``felicity bundle``: what a bundle says of itself, whether it is whole, and making one of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from felicity.cli import console, options
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.models.bundle import BundleFacts

Where = Annotated[
    str | None, typer.Argument(metavar="[PATH]", help="A bundle's folder or shipped name (default: the shipped one).")
]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Show, verify and make bundles: weights with their facts.", no_args_is_help=True)
    group.command()(show)
    group.command()(verify)
    group.command()(export)
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
        ("to train on from", _training_weights(facts)),
        ("input", f"{facts.input.size}x{facts.input.size} {facts.input.colour}"),
        ("trained on", facts.trained_on),
        ("calibrated on", facts.calibrated_on),
        ("temperature", facts.temperature),
        ("licence", facts.licence),
        ("made with", facts.made_with),
    ]
    if facts.training is not None:
        config = facts.training["config"]
        rows.append(
            (
                "network",
                f"{config['model']['name']} on {config['backend']}, epoch {facts.training['epoch']} of "
                f"{config['epochs']}, data {facts.training['data']['digest']}",
            )
        )
    rows.append(("shares in validation", _shares(facts.labels, facts.prior)))
    if facts.answer_prior:
        rows.append(("answers are made for", _shares(facts.labels, facts.answer_prior)))
    rows.extend((facts.card or {}).items())
    for name, measured in measures_of(facts).items():
        rows.append((name, ", ".join(f"{k} {v}" for k, v in measured.items())))
    console.table(("fact", "value"), rows)
    columns = [label[:8] for label in facts.labels]
    console.table(
        ("label", "faces", "recall", *columns),
        [
            (label, sum(row), numbers.share(row[i] / sum(row), 0) if any(row) else "-", *row)
            for i, (label, row) in enumerate(zip(facts.labels, facts.confusion, strict=True))
        ],
        title="Answers to held-out faces, by label",
        numbers=("faces", "recall", *columns),
    )


def _training_weights(facts: BundleFacts) -> str:
    kept = facts.training_weights
    return f"{kept.file}, {kept.origin}, SHA-256 {kept.sha256}" if kept else "nothing: it keeps no float weights"


def _shares(labels: list[str], prior: list[float]) -> str:
    return ", ".join(f"{label} {numbers.share(share)}" for label, share in zip(labels, prior, strict=True))


def measures_of(facts: BundleFacts) -> dict[str, dict[str, Any]]:
    """What was measured, by part; of the second head, by part and whose labels."""
    second = facts.second
    told = {f"{part}, {second.labels_of}": m for part, m in second.metrics.items()} if second else {}
    return {name.replace("_in_use", ", as in use"): m for name, m in facts.metrics.items()} | told


def verify(where: Where = None, json: options.Json = False) -> None:
    """Check that a bundle is whole, unchanged, and runs."""
    import numpy as np

    from felicity.recognition.classifier import Classifier

    classifier = Classifier.open(where)
    classifier.bundle.training_weights()
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


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder of: felicity train.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="BUNDLE", help="Folder to write.")],
    name: Annotated[str | None, typer.Option("--name", help="Of the bundle (default: that of its folder).")] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="DATA", help="The run's data set, if it is elsewhere now.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", help="Of the weights (default: Felicity's, Apache-2.0).")
    ] = None,
    evenness: Annotated[
        float,
        typer.Option("--evenness", min=0, max=1, help="Answers for shares as in validation (0) to equal ones (1)."),
    ] = 0.0,
    precision: Annotated[
        str, typer.Option("--precision", help="float32; float16: half the file; int8: a quarter, and faster.")
    ] = "float32",
    card: Annotated[
        Path | None, typer.Option("--card", metavar="FILE.toml", help="Texts to carry: intended use, limits.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is there.")] = False,
    json: options.Json = False,
) -> None:
    """Make a bundle of a run: ONNX, compared with the network, calibrated and measured on held-out images."""
    from felicity.export.run_to_bundle import export as make

    with console.progress() as bar:
        task = bar.add_task("opening the run", total=None)

        def step(what: str) -> None:
            bar.update(task, description=what)
            if not console.err.is_terminal:
                console.say(what)

        made = make(
            run, output, name=name, licence=licence, data=data, replace_bundle=force, evenness=evenness,
            precision=precision, card=card, step=step,  # type: ignore[arg-type]
        )  # fmt: skip
    facts = made.bundle.facts
    if absent := [label for label in facts.labels if label not in made.classes]:
        console.warn(f"never answers {', '.join(absent)}: such faces count as what they look most like")
    shares = dict(zip(facts.labels, facts.prior, strict=True))
    if unheld := [label for label in made.classes if shares.get(label) == 0]:
        console.warn(
            f"the validation part has no face labelled {', '.join(unheld)}: how such faces are answered is not known, "
            f"and their share is 0 with any --evenness; train with a larger --validation-share"
        )
    if json:
        console.emit_json(
            {
                "id": made.bundle.id,
                "path": str(output),
                "classes": list(made.classes),
                "largest_difference": made.difference,
                "rounding": made.rounding,
                "temperature": facts.temperature,
                "metrics": facts.metrics,
            }
        )
        return
    console.table(
        ("fact", "value"),
        [
            ("id", made.bundle.id),
            ("largest difference of logits", f"{made.difference:.1e}"),
            (f"difference by {precision}", f"{made.rounding:.1e}"),
            ("temperature", facts.temperature),
            ("calibrated on", facts.calibrated_on),
        ],
    )
    measured = measures_of(facts)
    columns = ("part", "faces", "accuracy", "balanced", "happy F1", "ECE before", "ECE after")
    console.table(
        columns,
        [
            (
                part, m["faces"], numbers.share(m['accuracy'], 2), numbers.share(m['balanced_accuracy'], 2),
                numbers.share(m['happy_f1'], 2) if "happy_f1" in m else "-",
                f"{m['ece_before']:.4f}" if "ece_before" in m else "-", f"{m['ece']:.4f}",
            )
            for part, m in measured.items()
        ],
        numbers=columns[1:],
    )  # fmt: skip
    console.say(f"written: {output}")
