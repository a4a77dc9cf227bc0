"""The trial of an untrusted network, in a process of its own with limits, before this process opens it.

A file of a few kilobytes can require any memory and any time for computing its constants. Bytes that pass the trial
pass here, too: the trial loads them, and computes one batch.
"""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256

from felicity.models.onnx_wire import check_network

MEMORY = 1 << 30
"""Bytes of data that the trial may allocate."""
SECONDS = 20
BATCH = 64
_TRUSTED: set[str] = set()
"""SHA-256 of networks that this process made or has tried."""


def trust(content: bytes) -> None:
    """Record a network that this process made as tried."""
    _TRUSTED.add(sha256(content).hexdigest())


def try_network(content: bytes, shape: tuple[int, ...]) -> None:
    """Load a network and compute one batch of inputs of ``shape``, with limits. Raises ValueError.

    On systems without limits (Windows), only the time is bounded.
    """
    if (digest := sha256(content).hexdigest()) in _TRUSTED:
        return
    check_network(content)
    words = [sys.executable, "-c", "from felicity.models.trial import main; main()", *map(str, shape)]
    try:
        done = subprocess.run(words, input=content, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise ValueError(f"needs more than {SECONDS} s to be loaded and to answer {BATCH} faces") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        killed = done.returncode < 0 or not lines or any(sign in lines[-1].lower() for sign in ("alloc", "memory"))
        raise ValueError(
            f"needs more than {MEMORY >> 20} MB or {SECONDS} s to be loaded and to answer {BATCH} faces"
            if killed
            else lines[-1][:300]
        )
    _TRUSTED.add(digest)


def main() -> None:
    """Run the trial: the network comes on standard input, the shape of one input as arguments."""
    content = sys.stdin.buffer.read()
    import numpy as np

    from felicity.runtime import open_session

    _limit()
    try:
        session = open_session(content, threads=1)
        faces = np.zeros((BATCH, *map(int, sys.argv[1:])), dtype=np.float32)
        session.run(None, {each.name: faces for each in session.get_inputs()})
    except Exception as error:  # ONNX Runtime raises its own types
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(1)


def _limit() -> None:
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return
    for what, most in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        ceiling = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if ceiling == resource.RLIM_INFINITY else min(most, ceiling), ceiling))
