"""The notebooks of the docs, executed; what they show is on the page."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbconvert.preprocessors import ExecutePreprocessor

from tests.conftest import CHECKOUT


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (
            "researcher",
            ("epoch 6/6", "tells neutral, happy, sad apart", "<svg", "balanced accuracy", "dataframe", "3 folds",
             "3 trials"),
        ),
        (
            "analyst",
            ("Happy share by week", "Market (simulated)", "Theil-Sen slope", "Difference in differences",
             "Places, weighted by people", "Where do people look happiest?", "<svg", "dataframe"),
        ),
    ],
)  # fmt: skip
def test_a_notebook_runs(name: str, shown: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own: about half a minute."""
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(CHECKOUT / "src"), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(CHECKOUT / "docs" / "notebooks" / f"{name}.ipynb", as_version=4)
    ExecutePreprocessor(timeout=280, kernel_name="python3").preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
    pages = [
        output["data"]["text/html"]
        for cell in notebook.cells if cell.cell_type == "code"
        for output in cell.outputs if "text/html" in output.get("data", {})
    ]  # fmt: skip
    text = "\n".join(pages)
    for words in shown:
        assert words in text, words
