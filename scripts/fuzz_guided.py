"""Feed a parser with inputs that reach new code: coverage-guided, by Atheris, if it is installed.

    PYTHONPATH=src python scripts/fuzz_guided.py [SECONDS]           # every target
    PYTHONPATH=src python scripts/fuzz_guided.py TARGET SECONDS

Run by ``make fuzz GUIDED=1`` for each target; one process each, since the first crash ends it. What crashes a parser is
kept in ``tests/fuzz``, as by ``fuzz.py``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def fuzz(name: str, seconds: int) -> None:
    """Try one target for so long; libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["felicity"]):
        from tests.support.fuzzing import KEPT, crash, kept, seeds_of

    corpus = Path(tempfile.mkdtemp())
    for number, content in enumerate(seeds_of(name) + kept(name)):
        (corpus / str(number)).write_bytes(content)

    def one(content: bytes) -> None:
        if (error := crash(name, content)) is not None:
            (KEPT / name).mkdir(parents=True, exist_ok=True)
            (KEPT / name / sha256(content).hexdigest()[:16]).write_bytes(content)
            raise error

    limits = [f"-max_total_time={seconds}", "-max_len=65536", "-rss_limit_mb=4096", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", f"-artifact_prefix={corpus}/", str(corpus)], one)
    atheris.Fuzz()


def main() -> int:
    """Print inputs of each target; return how many ended in a crash."""
    try:
        import atheris  # noqa: F401
    except ImportError:
        print("atheris is not installed; install it with: pip install atheris (Linux and macOS)", file=sys.stderr)
        return 2
    if len(sys.argv) > 2:
        fuzz(sys.argv[1], int(float(sys.argv[2])))
        return 0
    from tests.support.fuzzing import TARGETS

    seconds, crashes = sys.argv[1] if len(sys.argv) > 1 else "60", 0
    for name in TARGETS:
        done = subprocess.run([sys.executable, __file__, name, seconds], capture_output=True, text=True)
        said = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        crashes += done.returncode != 0
        end = "no crash" if done.returncode == 0 else f"crashed: {done.stdout.strip()[-400:]}"
        print(f"{name}: {said[-1].split()[-1] if said else '?'} inputs, {end}", flush=True)
    return crashes


if __name__ == "__main__":
    sys.exit(main())
