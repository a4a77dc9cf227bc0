"""``felicity watch``: a video, camera, stream or folder into windows."""

from __future__ import annotations

import signal
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.cli.times import time_parser
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.watching.watch import WatchSummary

PANEL = Panel.COUNT


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(watch)


def watch(
    source: Annotated[
        str, typer.Argument(help="Video file, folder of images, camera number (0), or stream address (rtsp://…).")
    ],
    location: Annotated[str, typer.Option("--location", "-l", metavar="NAME", help="Location that the source shows.")],
    camera: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the camera (default: name of the source).")
    ] = None,
    store: options.Store = None,
    window: Annotated[int, typer.Option(metavar="SECONDS", help="Length of a window.")] = 60,
    fps: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            help="Look at no more than N frames per second; a folder becomes a film of N pictures a second.",
        ),
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME",
            parser=time_parser("--start"),
            help="Start of the recording, ISO 8601, in the location's time zone (default: from its file).",
        ),
    ] = None,
    detector: options.Detector = "auto",
    smallest_face: options.SmallestFace = None,
    every_frame: options.EveryFrame = False,
    ignore_area: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,…",
            help="Leave out faces in this part of the picture, such as a screen: left,top,right,bottom or the points "
            "of a polygon, 0 to 1 of width and height; may be repeated.",
        ),
    ] = None,
    bundle: options.Bundle = None,
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.mp4", help="Write the video, with the found faces drawn on it.", callback=options.to_write
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Count the people of a source and their expressions, one window a minute, into a store.

    Ctrl-C ends the watch and writes the open window. Watching the same source, camera and start again replaces their
    windows, so nobody is counted twice.
    """
    from felicity.api import watch as run
    from felicity.watching.watch import clock

    with console.progress() as progress:
        task = progress.add_task("watching", total=None)

        def show(summary: WatchSummary) -> None:
            seen = clock(summary.end) if summary.end else ""
            progress.update(
                task,
                description=f"{seen}  {summary.frames} frames, {summary.people_seen} people, {summary.windows} windows",
            )

        def stop_on_signals(stop: Any) -> None:
            def handle(*_: object) -> None:
                stop()
                signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C ends at once

            signal.signal(signal.SIGINT, handle)
            signal.signal(signal.SIGTERM, handle)

        summary = run(
            source,
            location=location,
            camera=camera,
            store=store,
            window=window,
            fps=fps,
            start=start,
            detector=detector,
            smallest_face=smallest_face,
            every_frame=every_frame,
            ignore_areas=ignore_area or (),
            bundle=bundle,
            annotate=annotate,
            on_frame=show,
            on_note=console.warn,
            on_open=stop_on_signals,
        )
    if json:
        console.emit("watch", summary, summary.notes)
    else:
        show_summary(summary)


def show_summary(summary: WatchSummary) -> None:
    """Print the summary for people."""
    from felicity.watching.watch import clock

    rejected = ", ".join(f"{count} {reason}" for reason, count in summary.rejected.most_common())
    share = summary.happy_share_raw
    console.table(
        ("what", "value"),
        [
            ("location", summary.location),
            ("camera", summary.camera),
            ("detector", summary.detector),
            ("from", clock(summary.start) if summary.start else "no frame"),
            ("to", clock(summary.end) if summary.end else "no frame"),
            ("frames", _frames(summary)),
            *([("cuts", f"{summary.cuts}, each ends all tracks")] if summary.cuts else []),
            ("people", f"{summary.people_seen} seen, {summary.people} judged" + (f" ({rejected})" if rejected else "")),
            *([("faint faces lifted", f"of {summary.lifted} people judged")] if summary.lifted else []),
            *([("still faces again", f"{summary.still_again}, left out")] if summary.still_again else []),
            ("happy, counted", "-" if share is None else numbers.percent(share, 0)),
            *_estimates(summary),
            ("windows written", summary.windows),
        ],
    )


def _frames(summary: WatchSummary) -> str:
    lacking = {"dropped": summary.dropped, "damaged": summary.damaged, "frozen": summary.frozen} | summary.unfit
    return ", ".join([f"{summary.frames:,}", *(f"{count:,} {what}" for what, count in lacking.items() if count)])


def _estimates(summary: WatchSummary) -> list[tuple[str, str]]:
    if (found := summary.happy_share) is None:
        return []
    return [
        ("happy, adjusted", f"{numbers.percent(found.adjusted, 0)} ({numbers.interval(found.low, found.high, 0)})"),
        ("happy, by EMQ", numbers.percent(found.emq, 0)),
    ]
