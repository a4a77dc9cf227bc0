"""A systemd unit that watches the cameras from boot on."""

from __future__ import annotations

import getpass
import shlex
import sys
from pathlib import Path

UNIT = """\
[Unit]
Description=Felicity watches the cameras of {file}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
User={user}
ExecStart={command} cameras run {file} --log json
ExecReload=/bin/kill -HUP $MAINPID
EnvironmentFile=-{environment}
StateDirectory=felicity
Environment=FELICITY_HOME=%S/felicity
Restart=always
RestartSec=5
KillMode=mixed
TimeoutStopSec=60
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=read-only
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def unit(file: Path, *, user: str | None = None, environment: Path | None = None) -> str:
    """Return the unit for the cameras of ``file``, run as ``user`` (default: this one).

    ``environment``: file of variables, such as passwords (default: beside ``file``, with the ending ``.env``).
    """
    whole = file.resolve()
    command = f"{_quoted(sys.executable)} -m felicity"
    beside = environment.resolve() if environment else whole.with_suffix(".env")
    return UNIT.format(file=_quoted(str(whole)), user=user or getpass.getuser(), command=command, environment=beside)


def _quoted(word: str) -> str:
    """Return a word quoted for a unit's command line, in which % and $ have a meaning."""
    plain = word.replace("%", "%%").replace("$", "$$")
    return plain if shlex.quote(plain) == plain else '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
