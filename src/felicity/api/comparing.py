"""Framework comparison: one network, trained on each backend with everything else equal."""

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
    cluster: str | None = None,
) -> Report:
    """Train one network on several frameworks and write runs, table and picture to ``output``.

    ``backends``: empty for all that are installed. ``seeds``: the number of seeds, from that of the settings on;
    intervals need two. Runs that are already in ``output`` are kept. ``settings``, ``config``: as for ``train``.
    ``on_epoch`` receives framework, seed, and a line with epoch, validation accuracy and seconds. ``cluster``: address
    of a Ray cluster; trainings then run side by side without ``on_epoch``, and times depend on the machines. Raises
    ConfigError, DatasetError, TrainingError and ExtraMissingError.
    """
    from felicity.evaluation.frameworks.comparison import compare as run
    from felicity.evaluation.frameworks.report import write_comparison
    from felicity.models.backend import check_backend, installed_backends, use_backend
    from felicity.models.registry import check_network
    from felicity.plugins import is_path
    from felicity.training.config import make_config, read_toml
    from felicity.work import Here
    from felicity.work.opening import open_work

    defaults = {"model": {"name": "paper-cnn"}, "epochs": 10}
    file = read_toml(Path(config)) if config is not None else {}
    place = {} if data is None else {"data": {"path": str(data)}}
    chosen = make_config(defaults, file, place, settings or {})
    asked = list(backends) or list(installed_backends()) or ["tensorflow"]
    names = tuple(dict.fromkeys(check_backend(name) for name in asked))
    if is_path(chosen.model.name):  # an import path may import Keras itself
        use_backend(names[0], threads=chosen.threads, device=chosen.device)
    check_network(chosen.model.name)
    with open_work(cluster, otherwise=Here()) as work:
        done = run(chosen, names, tuple(range(chosen.seed, chosen.seed + seeds)), Path(output), on_epoch, work)
    return write_comparison(done, Path(output))
