"""Comparing frameworks: one network trained on each with everything else equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from felicity.evaluation.frameworks.report import Report


def compare(
    data: str | Path | None = None,
    output: str | Path = "comparison",
    *,
    backends: Sequence[str] = (),
    seeds: int = 3,
    settings: Mapping[str, Any] | None = None,
    config: str | Path | None = None,
    on_epoch: Callable[[str, int, str], None] = lambda contestant, seed, line: None,
) -> Report:
    """Train one network on several frameworks and leave runs, table and picture in ``output``.

    ``backends``: none for all that are installed. ``seeds``: how many, from that of the settings on; intervals need
    two. Runs that ``output`` has already are kept. ``settings``, ``config``: as for ``train``. ``on_epoch`` is told
    framework, seed, and a line of epoch, validation accuracy and seconds. Raises ConfigError, DatasetError,
    TrainingError and ExtraMissingError.
    """
    from felicity.evaluation.frameworks.comparison import compare as run
    from felicity.evaluation.frameworks.report import write_comparison
    from felicity.models.backend import check_backend, installed_backends
    from felicity.models.registry import check_network
    from felicity.training.config import make_config, read_toml

    defaults = {"model": {"name": "paper-cnn"}, "epochs": 10}
    file = read_toml(Path(config)) if config is not None else {}
    place = {} if data is None else {"data": {"path": str(data)}}
    chosen = make_config(defaults, file, place, settings or {})
    check_network(chosen.model.name)
    asked = list(backends) or list(installed_backends()) or ["tensorflow"]
    names = tuple(dict.fromkeys(check_backend(name) for name in asked))
    done = run(chosen, names, tuple(range(chosen.seed, chosen.seed + seeds)), Path(output), on_epoch)
    return write_comparison(done, Path(output))
