"""Weights for held-out faces that make them resemble all labelled ones in the clearness of their labels.

A network is more often right about a face on which more annotators agreed. By chance a small held-out part has more
clear faces, or fewer, than the data set; means over it are then too high or too low. Strata of known shares remove this
chance (post-stratification: Holt & Smith 1979, doi:10.2307/2344652).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from felicity.metrics.classification import Floats, Rows

STRATA, SMALLEST, FEWEST = 3, 10, 100
"""Strata per clearness; least number of faces in a stratum of its own; least number of faces in a divided class."""


def clearness(labels: Rows, votes: npt.NDArray[np.floating], second: Rows | None) -> Floats:
    """Return the clearness of each label, (N, 2): its share of votes, and whether the other convention agrees.

    ``labels`` (N,) and ``second`` (N,), places among one list of expressions, -1 undecided; ``votes`` (N, C) in that
    order.
    """
    share = votes[np.arange(len(labels)), labels]
    agrees = np.zeros(len(labels)) if second is None else second == labels
    return np.column_stack([share, agrees]).astype(np.float64)


def stratified_weights(labels: Rows, clear: Floats, all_labels: Rows, all_clear: Floats) -> Floats:
    """Return weights (N,) with a mean of 1 in each class, of N faces that stand for all labelled ones.

    Within a class, strata are thirds of the shares of votes among ``all_clear`` (M, 2), by whether the other convention
    agrees; strata with few of the N are joined, and classes with few are left as they are.
    """
    result = np.ones(len(labels))
    for label in np.unique(labels):
        mine, everyone = np.flatnonzero(labels == label), all_clear[all_labels == label]
        if len(mine) < FEWEST or not len(everyone):
            continue
        edges = np.unique(np.quantile(everyone[:, 0], np.arange(1, STRATA) / STRATA))
        strata, of_all = (
            2 * np.searchsorted(edges, share, side="left") + agrees.astype(int)
            for share, agrees in (clear[mine].T, everyone.T)
        )
        size = 2 * (len(edges) + 1)
        counts = np.bincount(strata, minlength=size)
        together = counts < SMALLEST
        names = np.where(together, size, np.arange(size))
        strata, of_all = names[strata], names[of_all]
        own, wanted = (np.bincount(each, minlength=size + 1) / len(each) for each in (strata, of_all))
        weight = wanted[strata] / own[strata]
        result[mine] = weight / weight.mean()
    return result
