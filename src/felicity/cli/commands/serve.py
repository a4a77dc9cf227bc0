"""``felicity serve``: figures for programs over HTTP, and pages for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from felicity.cli import console, options, serve_install
from felicity.cli.panels import Panel

PANEL = Panel.PUBLISH


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=serve_install.Serve, epilog=f"felicity serve install tryit: {serve_install.HELP}")(serve)


def serve(
    store: Annotated[
        str | None,
        typer.Argument(
            metavar="[STORE]",
            envvar="FELICITY_STORE",
            help="Store to serve: a SQLite file, or a sqlite:/// or postgresql:// URL (default: your own file).",
        ),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Serve a simulated city, and delete it at the end.")] = False,
    clip: Annotated[
        Path | None,
        typer.Option(metavar="VIDEO", help="--demo: play this video again and again, as the camera of one more place."),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Address to serve; with 0.0.0.0 other machines reach it, and need tokens."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to serve; 0 takes a free one.")] = 8000,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the address in a browser.")] = False,
    open_access: Annotated[
        bool, typer.Option("--open-access", help="Let everybody on this machine read without a token.")
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="Let people without a token read releases, which the server makes.")
    ] = False,
    release: Annotated[
        Literal["day", "hour"], typer.Option(help="--public: make releases of days, or of hours, that are over.")
    ] = "day",
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Host name of the server, such as behind a proxy; may be repeated."),
    ] = None,
    k: options.K = 10,
    rate: Annotated[
        int, typer.Option(min=0, metavar="N", help="Requests a minute of each token or address; 0 for any number.")
    ] = 600,
    trust_proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS", help="Address of a proxy to trust about X-Forwarded-For and -Proto; may be repeated."
        ),
    ] = None,
    user_header: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Header in which the trusted proxy names the user whom it signed in."),
    ] = None,
    role_header: Annotated[
        str, typer.Option(metavar="NAME", help="Header in which it names the role: viewer, analyst or operator.")
    ] = "X-Forwarded-Role",
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE.pem", help="Certificate with its chain, to serve https.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE.pem", help="Key of the certificate.")] = None,
    cameras: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Show the state of this file's cameras to admin tokens.")
    ] = None,
    classify: Annotated[
        bool, typer.Option("--classify", help="Classify the pictures that programs send; keep none.")
    ] = False,
    try_it: Annotated[
        bool,
        typer.Option("--try-it/--no-try-it", help="Show the page on which a browser classifies pictures by itself."),
    ] = True,
    contact: Annotated[
        str, typer.Option(metavar="TEXT", help="Contact for questions; the page What is measured here shows it.")
    ] = "",
    title: Annotated[str, typer.Option(help="Heading of the pages.")] = "Happiness index",
) -> None:
    """Serve the index of a store over HTTP until stopped. Without --open-access, every figure needs a token."""
    import tempfile
    import webbrowser
    from contextlib import ExitStack

    from felicity.errors import ConfigError, require

    require("fastapi", "serve")
    require("uvicorn", "serve")
    from felicity.serve.run import serve as run
    from felicity.serve.settings import Settings

    def ready(address: str, enter: str) -> None:
        console.out.print(f"Felicity serves {'a simulated city' if demo else 'its store'} at {address}", markup=False)
        if enter:
            console.say(f"enter with {enter}")
        console.say("Ctrl-C stops it")
        if open_browser:
            webbrowser.open(enter or address)

    if demo and store is not None:
        raise ConfigError("--demo serves a store of its own; leave STORE out")
    if clip is not None and not demo:
        raise ConfigError("--clip is a camera of the simulated city; add --demo, or watch a video: felicity watch")
    with ExitStack() as stack:
        if demo:
            from felicity.api.demo import clip_as_camera, simulated_city

            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="felicity-demo-"))
            store = str(Path(folder) / "town.db")
            simulated_city(store)
            if clip is not None:
                stack.enter_context(clip_as_camera(clip, store))
        run(
            Settings(
                store=store, host=host, port=port, open_access=open_access or (demo and not public), public=public,
                release=release, k=k, names=tuple(name or ()), rate=rate, cameras=cameras,
                classify=classify, try_it=try_it, contact=contact, title=title, trust_proxy=tuple(trust_proxy or ()),
                user_header=user_header, role_header=role_header, tls_cert=tls_cert, tls_key=tls_key,
            ),
            on_ready=ready,
        )  # fmt: skip
