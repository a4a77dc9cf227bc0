"""``felicity models``: the networks that can be trained, and their layers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

BackendName = Annotated[
    str | None, typer.Option("--backend", metavar="NAME", help="tensorflow, torch or jax (default: one installed).")
]
PANEL = Panel.TRAIN


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="List the networks that can be trained, and show their layers.", no_args_is_help=True)
    group.command("list")(list_networks)
    group.command()(show)
    app.add_typer(group, name="models")


def list_networks(
    classes: Annotated[int, typer.Option("--classes", help="Number of classes.")] = 7,
    size: Annotated[int, typer.Option("--size", help="Side of the input in pixels.")] = 48,
    backend: BackendName = None,
    json: options.Json = False,
) -> None:
    """List all networks with their parameters and multiply-adds per face, also those that do not fit the options."""
    from felicity.errors import ConfigError
    from felicity.models.backend import use_backend
    from felicity.models.describe import describe
    from felicity.models.registry import ModelOptions, build, networks

    chosen = ModelOptions(classes, size)
    use_backend(backend)
    rows, listed = [], []
    for name, network in networks().items():
        sums: dict[str, int | str | None]
        try:
            one = describe(build(name, chosen), network.about)
        except ConfigError as error:
            sums = {"parameters": None, "multiply_adds": None, "error": str(error)}
            rows.append((name, "not possible", "", network.about))
        else:
            sums = {"parameters": one.parameters, "multiply_adds": one.multiply_adds, "error": None}
            rows.append((name, f"{one.parameters:,}", f"{one.multiply_adds:,}", network.about))
        listed.append({"name": name, "about": network.about, **sums})
    if json:
        console.emit("models-list", listed)
        return
    console.table(
        ("model", "parameters", "multiply-adds", "what it is"),
        rows,
        title=f"{size}x{size} grey, {classes} classes",
        numbers=("parameters", "multiply-adds"),
    )


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A network; see: felicity models list.")],
    classes: Annotated[int, typer.Option("--classes", help="Number of classes.")] = 7,
    size: Annotated[int, typer.Option("--size", help="Side of the input in pixels.")] = 48,
    colour: Annotated[str, typer.Option("--colour", help="gray or rgb.")] = "gray",
    width: Annotated[int | None, typer.Option("--width", help="Channels of the first convolution.")] = None,
    depth: Annotated[int | None, typer.Option("--depth", help="Stages or blocks.")] = None,
    filter_size: Annotated[int | None, typer.Option("--filter-size", help="Side of the kernels, odd.")] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture", metavar="FILE", help="Draw the architecture, too (PNG, SVG, PDF).", callback=options.chart_file
        ),
    ] = None,
    backend: BackendName = None,
    json: options.Json = False,
) -> None:
    """Show the layers of one network with their output shapes, parameters and multiply-adds."""
    from felicity.errors import ConfigError
    from felicity.models.backend import use_backend
    from felicity.models.describe import describe
    from felicity.models.registry import ModelOptions, build, check_network

    if colour not in ("gray", "rgb"):
        raise ConfigError(f"--colour is gray or rgb, not {colour!r}")
    chosen = ModelOptions(classes, size, 1 if colour == "gray" else 3, width, depth, filter_size)
    use_backend(backend)
    network = check_network(name)
    described = describe(build(name, chosen), network.about)
    if picture:
        from felicity.models.picture import draw_network
        from felicity.style.charts import save

        save(draw_network(described), picture)
        console.say(f"written: {picture}")
    if json:
        console.emit("models-show", described)
        return
    rows = [
        (one.name, one.kind, "x".join(map(str, one.output)), f"{one.parameters:,}", f"{one.multiply_adds:,}")
        for one in described.layers
    ]
    rows.append(("all", "", "", f"{described.parameters:,}", f"{described.multiply_adds:,}"))
    columns = ("layer", "kind", "output", "parameters", "multiply-adds")
    console.table(columns, rows, title=f"{name}: {network.about}", numbers=columns[2:])
