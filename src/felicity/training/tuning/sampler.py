"""TPE whose draws depend on seed and trial number alone, so that a study that goes on is the one that never stopped."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from optuna.samplers import BaseSampler, TPESampler


class NumberedTPE(BaseSampler):  # type: ignore[misc]
    """Tree-structured Parzen estimator (Bergstra et al. 2011; multivariate: Falkner et al. 2018, arXiv:1807.01774).

    The first 10 trials are drawn at random. Optuna's own sampler has one generator per process: two processes of one
    seed would draw the same, and one started again would draw what it has drawn before.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def _tpe(self, *key: object) -> Any:
        drawn = blake2b(repr((self._seed, *key)).encode(), digest_size=4).digest()
        return TPESampler(seed=int.from_bytes(drawn, "big"), multivariate=True, constant_liar=True)

    def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
        """See Optuna's ``BaseSampler``."""
        return self._tpe(trial.number).infer_relative_search_space(study, trial)

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
        """See Optuna's ``BaseSampler``."""
        return self._tpe(trial.number).sample_relative(study, trial, search_space)

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        """See Optuna's ``BaseSampler``."""
        return self._tpe(trial.number, param_name).sample_independent(study, trial, param_name, param_distribution)
