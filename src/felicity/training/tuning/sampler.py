"""A TPE sampler whose draws depend on the seed and a trial's place in the study alone.

So a resumed study equals an uninterrupted one: a trial that takes the place of a lost one draws what that one drew.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from optuna.samplers import BaseSampler, TPESampler

PLACE = "place"
"""Key of a trial's attributes: its place among those that count, from 0; its number, unless trials were lost."""


def place_of(trial: Any) -> int:
    """Return the place of a trial, see ``PLACE``."""
    return int(trial.user_attrs.get(PLACE, trial.number))


class NumberedTPE(BaseSampler):  # type: ignore[misc]
    """Tree-structured Parzen estimator (Bergstra et al. 2011; multivariate: Falkner et al. 2018, arXiv:1807.01774).

    The first 10 trials are drawn at random. Optuna's own sampler has one generator per process: two processes of one
    seed would draw the same, and a restarted one would repeat its draws.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def _tpe(self, trial: Any, *key: object) -> Any:
        drawn = blake2b(repr((self._seed, place_of(trial), *key)).encode(), digest_size=4).digest()
        return TPESampler(seed=int.from_bytes(drawn, "big"), multivariate=True, constant_liar=True)

    def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
        """Return the search space; see Optuna's ``BaseSampler``."""
        return self._tpe(trial).infer_relative_search_space(study, trial)

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
        """Draw all settings of a trial together; see Optuna's ``BaseSampler``."""
        return self._tpe(trial).sample_relative(study, trial, search_space)

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        """Draw one setting of a trial; see Optuna's ``BaseSampler``."""
        return self._tpe(trial, param_name).sample_independent(study, trial, param_name, param_distribution)
