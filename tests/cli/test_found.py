"""Commands are found by their modules, and one that runs waits for no other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import typer.main
from typer.testing import CliRunner

from felicity.cli import commands
from felicity.cli.app import app
from felicity.cli.panels import Panel
from tests.support.command import environment

FOLDER = Path(str(commands.__path__[0]))


def test_each_module_has_one_command_of_its_name() -> None:
    found = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert list(found) == sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
    assert all(found[name].name == name for name in found)
    assert "indx" not in found


def test_help_lists_commands_of_one_purpose_together() -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout
    headings = re.findall(r"─ (.+?) ─", shown)
    assert headings == ["Options", *Panel]
    read = shown.split(f"─ {Panel.READ} ─")[1].split(f"─ {Panel.PUBLISH} ─")[0]
    assert re.findall(r"^│ (\w+) ", read, re.MULTILINE) == [
        "city",
        "effect",
        "index",
        "rank",
        "report",
        "trend",
        "usual",
    ]


def test_a_command_imports_no_other(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from felicity.__main__ import main\n"
        "sys.argv = ['felicity', 'runs', 'list', '--json']\n"
        "try:\n    main()\n"
        "finally:\n    print(*(m for m in sys.modules if m.startswith('felicity.cli.commands.')), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(tmp_path), timeout=60
    )
    assert done.stderr.split()[-1:] == ["felicity.cli.commands.runs"], done.stderr
    assert done.stderr.count("felicity.cli.commands.") == 1
