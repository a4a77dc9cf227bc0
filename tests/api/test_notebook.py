"""The notebook of the docs, executed; what it shows is on the page."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbconvert.preprocessors import ExecutePreprocessor

from tests.conftest import CHECKOUT


@pytest.mark.filterwarnings("default")
def test_the_researchers_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One training and three folds in a process of their own: about half a minute."""
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(CHECKOUT / "src"), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(CHECKOUT / "docs" / "notebooks" / "researcher.ipynb", as_version=4)
    ExecutePreprocessor(timeout=200, kernel_name="python3").preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
    pages = [
        output["data"]["text/html"]
        for cell in notebook.cells if cell.cell_type == "code"
        for output in cell.outputs if "text/html" in output.get("data", {})
    ]  # fmt: skip
    text = "\n".join(pages)
    for words in ("epoch 6/6", "tells neutral, happy, sad apart", "<svg", "balanced accuracy", "dataframe", "3 folds"):
        assert words in text, words
