"""Make the pictures of the docs again: ``python scripts/pictures.py [GROUP …] [--data DATA] [--into docs/images]``.

Without a group, all that take seconds or minutes are made; groups marked *slow* train networks or measure a machine for
an hour, and are made where they are named. Needs Chromium, Poppler and, but for demo, status and serve, the data.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parents[1]
SMALL_CROSSVAL = "--model paper-cnn --images 1000 --epochs 4 --folds 3 --batch-size 32"
SMALL_TUNING = "--model paper-cnn --space study --images 3000 --epochs 3 --trials 12"
COMPARED = "--model paper-cnn --images 6000 --epochs 5 --seeds 3"


@dataclass(frozen=True)
class Group:
    """Commands, and the pictures that they make: name in docs/images to the file that a command writes.

    In commands and files ``{data}``, ``{work}`` (a folder that goes) and ``{into}`` are filled in. ``felicity`` runs in
    the data folder, so that pictures show no path of this machine. A picture without a file is written into ``{into}``
    by the command itself.
    """

    commands: tuple[str, ...]
    pictures: Mapping[str, str]
    slow: bool = False


def written(*names: str) -> dict[str, str]:
    """Return pictures that a command writes in place."""
    return dict.fromkeys(names, "")


REPORT_SIZES = ("", "-360", "-820-dark", "-1600", "-print")
EVALUATE = "felicity evaluate best --data fer2013 --split PublicTest --pictures {work} --report {work}/page.html"
GROUPS: dict[str, Group] = {
    "demo": Group(("felicity demo --output {work}",), {"demo-index.png": "{work}/index.png"}),
    "status": Group(("python scripts/pictures.py --status {into}/cameras-status.svg",), written("cameras-status.svg")),
    "network": Group(
        ("felicity models show resnet5 --picture {into}/resnet5.png",),
        written("resnet5.png"),
    ),
    "serve": Group(
        ("python scripts/serve_pictures.py {into}",),
        written(
            *(
                f"serve-{name}.png"
                for name in ("city", "city-phone", "place", "compare", "about", "sign-in", "wall", "sign", "tryit")
            )
        ),
    ),
    "report": Group(
        ("sh scripts/report_pictures.sh {data} {into}",),
        written(*(f"report-{name}{size}.png" for name in ("simulated", "clips") for size in REPORT_SIZES)),
    ),
    "audit": Group(
        ("felicity data inspect fer2013/fer2013.csv.gz --chart {into}/fer2013_audit.png",), written("fer2013_audit.png")
    ),
    "evaluation": Group(
        (EVALUATE, "python scripts/pictures.py --head {work}/page.html {work}/head.png"),
        {
            "evaluation-confusion.png": "{work}/confusion.png",
            "evaluation-reliability.png": "{work}/reliability.png",
            "evaluation-report.png": "{work}/head.png",
        },
    ),
    "failures": Group(
        ("python benchmarks/quality_thresholds.py {data}/fer2013 --picture {into}/models-failures.png",),
        written("models-failures.png"),
    ),
    "simulation": Group(
        ("felicity simulate --check --faces fer2013 --chart {into}/simulation-check.png",),
        written("simulation-check.png"),
        slow=True,
    ),
    "crossval": Group(
        (f"felicity crossval fer2013/fer2013.csv.gz {SMALL_CROSSVAL} -o {{work}}/folds",),
        {"crossval.png": "{work}/folds/crossval.png"},
        slow=True,
    ),
    "tuning": Group(
        (f"felicity tune fer2013/fer2013.csv.gz {SMALL_TUNING} -o {{work}}/tuning",),
        {"tuning.png": "{work}/tuning/tuning.png", "tuning-slices.png": "{work}/tuning/slices.png"},
        slow=True,
    ),
    "comparison": Group(
        (f"felicity compare fer2013/fer2013.csv.gz {COMPARED} -o {{work}}/comparison",),
        {"comparison.png": "{work}/comparison/comparison.png"},
        slow=True,
    ),
    "box": Group(
        ("python benchmarks/cameras.py --chart {into}/cameras-per-box.png",), written("cameras-per-box.png"), slow=True
    ),
    "cluster": Group(
        (
            "python benchmarks/cluster.py --items 16 --nodes 1,2 --tiny 10000 --media {data}/media --detector yunet "
            "--picture {into}/cluster-speed.png",
        ),
        written("cluster-speed.png"),
        slow=True,
    ),
}


def make(group: Group, data: Path, into: Path) -> None:
    """Run the commands of a group and put its pictures into the folder."""
    with tempfile.TemporaryDirectory() as work:
        names = {"data": str(data), "work": work, "into": str(into)}
        for command in group.commands:
            program, *words = shlex.split(command.format(**names))
            start = {"felicity": [sys.executable, "-m", "felicity"], "python": [sys.executable]}.get(program, [program])
            folder = data if program == "felicity" and data.is_dir() else ROOT
            subprocess.run([*start, *words], cwd=folder, check=True)
        for name, file in group.pictures.items():
            if file:
                shutil.copy(file.format(**names), into / name)


def draw_status(path: Path) -> None:
    """Draw the status of ten invented cameras as ``felicity cameras status`` prints it."""
    from rich.console import Console

    from felicity.cli import console
    from felicity.cli.commands.cameras import show_status
    from felicity.schemas.cameras import CamerasStatusShape, CameraStatusShape

    now = datetime.now(UTC)
    frozen = "its picture has not changed for 60 s; restart the camera"
    refused = "connection refused; trying again in 21.4 s"
    cameras = [
        CameraStatusShape(
            name=name,
            location=location,
            source="rtsp://camera.example.org/stream2",
            state=state,  # type: ignore[arg-type]
            why=why,
            since=now,
            last_frame=now - timedelta(seconds=frame) if frame is not None else None,
            last_window=now - timedelta(seconds=window) if window is not None else None,
            reconnects=reconnects,
            fps=fps,
            dropped=dropped,
            width=width,
            height=width and width * 9 // 16,
        )
        for name, location, state, why, frame, window, reconnects, fps, dropped, width in (
            ("quay north", "Harbour", "watching", "", 0, 40, 0, 5.0, 0, 1280),
            ("quay south", "Harbour", "watching", "", 0, 40, 0, 5.0, 12, 1280),
            ("ferry", "Harbour", "watching", "", 0, 40, 2, 5.0, 3, 1280),
            ("market", "Market", "watching", "", 0, 40, 0, 5.0, 0, 1280),
            ("arcade", "Market", "watching", "", 0, 40, 0, 5.0, 0, 960),
            ("fountain", "Square", "watching", "", 0, 40, 0, 4.9, 0, 1280),
            ("town hall", "Square", "watching", "", 0, 40, 1, 5.0, 41, 1280),
            ("bridge", "Station", "stalled", frozen, 0, 180, 0, 5.0, 0, 1280),
            ("platform", "Station", "offline", refused, 780, 720, 3, 0.0, 0, 1280),
            ("bus stop", "Station", "disabled", "", None, None, 0, 0.0, 0, None),
        )
    ]
    told = CamerasStatusShape(
        running=True,
        process=1,
        started=now,
        updated=now,
        windows_waiting=0,
        windows_lost=0,
        store_trouble="",
        cameras=cameras,
    )
    recorded = Console(
        record=True,
        width=150,
        file=StringIO(),
        force_terminal=True,
        color_system="truecolor",
        _environ={"TERM": "xterm"},
    )
    with mock.patch.object(console, "out", recorded):
        show_status(told)
    drawn = recorded.export_svg(title="felicity cameras status cameras.toml")
    drawn = re.sub(r"\s*@font-face \{.*?\}\n", "\n", drawn, flags=re.DOTALL)  # fonts of another host
    path.write_text(drawn.replace("Fira Code", "DejaVu Sans Mono"), encoding="utf-8")


def draw_head(page_file: Path, picture: Path) -> None:
    """Draw the head of a page as a browser shows it."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 1118})
        page.goto(page_file.resolve().as_uri())
        page.screenshot(path=picture)
        browser.close()


def main() -> None:
    """Make the groups that are named, or all quick ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    about = ", ".join(f"{name}{' (slow)' if group.slow else ''}" for name, group in GROUPS.items())
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=about)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the development data")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "images", help="where the pictures go")
    parser.add_argument("--status", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--head", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.status:
        draw_status(options.status)
    elif options.head:
        draw_head(*options.head)
    else:
        if unknown := set(options.groups) - set(GROUPS):
            parser.error(f"no group {', '.join(sorted(unknown))}; there are {about}")
        options.into.mkdir(parents=True, exist_ok=True)
        for name in options.groups or [name for name, group in GROUPS.items() if not group.slow]:
            print(f"{name}: {', '.join(GROUPS[name].pictures)}", flush=True)
            make(GROUPS[name], options.data.resolve(), options.into.resolve())


if __name__ == "__main__":
    main()
