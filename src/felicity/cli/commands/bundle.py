"""``felicity bundle``: show a bundle, verify it, and export one from a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.export.run_to_bundle import Exported
    from felicity.index.soft_matrix import SoftMatrix
    from felicity.labels import Classes
    from felicity.models.bundle_facts import BundleFacts

Where = Annotated[
    str | None, typer.Argument(metavar="[PATH]", help="A bundle's folder or shipped name (default: the shipped one).")
]
PANEL = Panel.TRAIN


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Show, verify and make bundles: weights with their facts.", no_args_is_help=True)
    group.command()(show)
    group.command()(verify)
    group.command()(export)
    app.add_typer(group, name="bundle")


def show(where: Where = None, json: options.Json = False) -> None:
    """Print a bundle's labels, input, calibration, training data and measured figures."""
    from felicity.models.answering import how_it_answers
    from felicity.models.bundle import open_bundle

    bundle = open_bundle(where)
    facts = bundle.facts
    if json:
        told = {
            "id": bundle.id, "path": str(bundle.folder), "classes": bundle.classes.to_json(),
            "facts": facts.model_dump(mode="json"),
        }  # fmt: skip
        console.emit("bundle-show", told)
        return
    rows: list[tuple[str, Any]] = [
        ("id", bundle.id),
        ("folder", bundle.folder),
        ("classes", bundle.classes.text),
        ("weights", f"{facts.weights}, {bundle.weights.stat().st_size / 1e6:.1f} MB, SHA-256 {facts.weights_sha256}"),
        ("to train on from", _training_weights(facts)),
        ("input", f"{facts.input.size}x{facts.input.size} {facts.input.colour}"),
        ("trained on", facts.trained_on),
        ("calibrated on", facts.calibrated_on),
        ("temperature", facts.temperature),
        ("answers", how_it_answers(facts)),
        ("licence", facts.licence),
        ("made with", facts.made_with),
    ]
    if facts.training is not None:
        config = facts.training["config"]
        stated = [config["data"].get(key) or f"{key} not stated" for key in ("name", "licence")]
        rows.append(("data, as stated", ", ".join(stated)))
        rows.append(
            (
                "network",
                f"{config['model']['name']} on {config['backend']}, epoch {facts.training['epoch']} of "
                f"{config['epochs']}, data {facts.training['data']['digest']}",
            )
        )
    rows.append(("shares in validation", _shares(bundle.classes, facts.prior)))
    if facts.answer_prior:
        rows.append(("answers are made for", _shares(bundle.classes, facts.answer_prior)))
    rows.append(("error by the soft matrix", _error_of(bundle.soft_matrix)))
    rows.extend((facts.card or {}).items())
    for name, measured in measures_of(facts).items():
        rows.append((name, ", ".join(f"{k} {v}" for k, v in measured.items())))
    rows += _covered(facts)
    console.table(("fact", "value"), rows)
    names, places = bundle.classes.names, list(bundle.classes.places)
    columns = [name[:8] if len({name[:8] for name in names}) == len(names) else name for name in names]
    confusion = [[facts.confusion[i][j] for j in places] for i in places]
    console.table(
        ("label", "faces", "recall", *columns),
        [
            (label, sum(row), numbers.share(row[i] / sum(row), 0) if any(row) else "-", *row)
            for i, (label, row) in enumerate(zip(names, confusion, strict=True))
        ],
        title="Answers to held-out faces, by label",
        numbers=("faces", "recall", *columns),
    )


def _training_weights(facts: BundleFacts) -> str:
    kept = facts.training_weights
    return f"{kept.file}, {kept.origin}, SHA-256 {kept.sha256}" if kept else "nothing: it keeps no float weights"


def _error_of(soft: SoftMatrix) -> str:
    from felicity.labels import HAPPY_INDEX

    happy, share = soft.counts[HAPPY_INDEX], 0.3
    error = soft.happy_error(share)
    if error is None:
        return "not known, because it has no happy faces or no others"
    return (
        f"{100 * error:.2f} points (standard error) in a happy share of {numbers.share(share, 0)}; "
        f"the matrix is of {soft.counts.sum():,} faces, {happy:,} of them happy"
    )


def _covered(facts: BundleFacts) -> list[tuple[str, Any]]:
    """Return what a bundle says of covered faces, and how well."""
    told = facts.covered
    if told is None:
        return [("covered faces", "are judged like others: it has no output that tells them")]
    unseen = f", not trained on {numbers.listed(told.held_out)}" if told.held_out else ""
    rows = [("covered faces", f"by {told.output} from {told.threshold:g} on; trained on {told.trained_on}{unseen}")]
    for name, one in told.metrics.items():
        styles = ", ".join(f"{style} {numbers.share(share, 0)}" for style, share in one.found.items())
        rows.append(
            (f"covered, {name}", f"of {one.faces:,} free faces {numbers.share(one.free_taken)} taken; found: {styles}")
        )
    return rows


def _shares(classes: Classes, prior: list[float]) -> str:
    places = zip(classes.names, classes.places, strict=True)
    return ", ".join(f"{name} {numbers.share(prior[place])}" for name, place in places)


def measures_of(facts: BundleFacts) -> dict[str, dict[str, Any]]:
    """Return the measured figures by part of the data; for the second head, by part and source of labels."""
    second = facts.second
    told = {f"{part}, {second.labels_of}": m for part, m in second.metrics.items()} if second else {}
    return {name.replace("_in_use", ", as in use"): m for name, m in facts.metrics.items()} | told


def verify(where: Where = None, json: options.Json = False) -> None:
    """Check that a bundle is complete, unchanged, and runs."""
    from felicity.api import verify_bundle

    bundle = verify_bundle(where)
    if json:
        console.emit("bundle-verify", {"id": bundle.id, "path": str(bundle.folder)})
    else:
        console.out.print(f"{bundle.id} is whole, unchanged, and runs", markup=False)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder of: felicity train.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="BUNDLE", help="Folder to write.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the bundle (default: that of its folder).")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="DATA", help="The run's data set, if it is elsewhere now.")
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option("--licence", help="Licence of the weights, such as CC-BY-4.0; Felicity never assumes one."),
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
    test_in_matrix: Annotated[
        bool,
        typer.Option(
            "--test-in-matrix", help="Use the test set for the soft matrix, too, not only the validation set."
        ),
    ] = False,
    blend: Annotated[
        float, typer.Option("--blend", min=0, max=1, help="Share of the weights that the run began with (--start).")
    ] = 0.0,
    average: Annotated[
        list[Path] | None,
        typer.Option("--average", metavar="RUN", help="Take the mean with this run, which began alike; repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is there.")] = False,
    json: options.Json = False,
) -> None:
    """Export a run as a bundle: ONNX, compared with the network, calibrated and measured on held-out images."""
    from felicity.api import export_bundle

    with console.progress() as bar:
        task = bar.add_task("opening the run", total=None)

        def step(what: str) -> None:
            bar.update(task, description=what)
            if not console.err.is_terminal:
                console.say(what)

        made = export_bundle(
            run, output, name=name, licence=licence, data=data, replace=force, evenness=evenness,
            precision=precision, card=card, test_in_matrix=test_in_matrix, blend=blend,  # type: ignore[arg-type]
            average=average or (), on_step=step,
        )  # fmt: skip
    console.notes(made.notes)
    if json:
        console.emit("bundle-export", made.plain(), made.notes)
    else:
        _print_export(made, precision)
        console.say(f"written: {output}")


def _print_export(made: Exported, precision: str) -> None:
    from felicity.models.answering import how_it_answers

    facts = made.bundle.facts
    console.table(
        ("fact", "value"),
        [
            ("id", made.bundle.id),
            ("classes", made.bundle.classes.text),
            ("largest difference of logits", f"{made.difference:.1e}"),
            (f"difference by {precision}", f"{made.rounding:.1e}"),
            ("temperature", facts.temperature),
            ("calibrated on", facts.calibrated_on),
            ("answers", how_it_answers(facts)),
            ("licence", facts.licence),
        ],
    )
    measured = measures_of(facts)
    columns = ("part", "faces", "accuracy", "of the run", "balanced", "happy F1", "ECE before", "ECE after")
    console.table(
        columns,
        [
            (
                part, m["faces"], numbers.share(m["accuracy"], 2),
                numbers.share(m.get("accuracy_before"), 2), numbers.share(m["balanced_accuracy"], 2),
                numbers.share(m['happy_f1'], 2) if "happy_f1" in m else "-",
                f"{m['ece_before']:.4f}" if "ece_before" in m else "-", f"{m['ece']:.4f}",
            )
            for part, m in measured.items()
        ],
        numbers=columns[1:],
    )  # fmt: skip
