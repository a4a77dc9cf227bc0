"""Keras starts without packages that training never uses, and leaves them to everybody else."""

from __future__ import annotations

import subprocess
import sys


def test_keras_starts_without_packages_that_training_never_uses() -> None:
    script = """
import sys
from felicity.models.backend import use_backend
use_backend("jax", threads=1)
print(sorted({"pandas", "sklearn", "matplotlib", "torch", "tensorflow"} & set(sys.modules)))
import pandas
print(pandas.DataFrame({"a": [1]}).shape)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "(1, 1)"]
