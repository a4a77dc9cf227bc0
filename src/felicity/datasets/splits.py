"""Splits that do not leak: stratified by class, seeded, with groups of duplicates and subjects kept whole.

``assign`` does the work. The part of a group depends on the keys of its images (hashes of their pixels and their names)
and the seed, not on their order. If every group is one image, each part's number of images of each class is guaranteed
to be within one of its share. If groups are larger but of one class each, it is within the size of the largest group:
large groups are placed first, so that the many single images even them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError, DatasetError

Rows = npt.NDArray[np.int64]
TRAIN, VALIDATION, TEST, LEFT_OUT = "train", "validation", "test", "left out"
ROLES = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "test": TEST,
    "testing": TEST,
    "publictest": TEST,
    "privatetest": TEST,
    LEFT_OUT: LEFT_OUT,
}
"""The roles of a data set's own folds, by their names in lower case; ``left out`` is a fold of prepared data."""


@dataclass(frozen=True)
class SplitOptions:
    """Options of a split.

    ``test_share`` of all images if the set has no folds of its own; ``validation_share`` of the training set if it has
    no validation fold. ``leaky``: ignore duplicates and subjects, to reproduce published figures.
    """

    test_share: float = 0.3
    validation_share: float = 0.1
    seed: int = 1
    leaky: bool = False

    def __post_init__(self) -> None:
        for name in ("test_share", "validation_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} must lie in 0 to below 1, not {getattr(self, name)}")


def roles_of(folds: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """Return the role of each image's fold: ``train``, ``validation``, ``test``, ``left out``, or "" if unknown."""
    return np.array([ROLES.get(fold.lower(), "") for fold in folds.tolist()], dtype="U10")


def official_roles(folds: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """Return ``roles_of`` folds that can serve as splits: all of them known, or none.

    Raises DatasetError for a mixture, because new splits would put test images into training.
    """
    roles = roles_of(folds)
    if (unknown := folds[roles == ""]).size and unknown.size < folds.size:
        names, counts = np.unique(unknown, return_counts=True)
        found = " and ".join(
            f"{n:,} images in {f'fold {name!r}' if name else 'no fold'}"
            for name, n in zip(names.tolist(), counts.tolist(), strict=True)
        )
        known = ", ".join(repr(name) for name in np.unique(folds[roles != ""]).tolist())
        raise DatasetError(
            f"every fold should be for training, validation or test, but beside {known} there are {found}; call each "
            f"fold train, validation or test, or give none, and Felicity draws the sets"
        )
    return roles


def split(
    labels: Rows, folds: npt.NDArray[np.str_], groups: Rows, keys: Sequence[str], options: SplitOptions
) -> npt.NDArray[np.str_]:
    """Return ``train``, ``validation``, ``test`` or ``left out`` for every image.

    Official folds stay if the set has them: test images stay as published, and images of the training or validation set
    that belong to the group of a test image are left out (likewise training images for validation). Images already
    ``left out`` stay so. Without official folds, the parts are drawn. Raises DatasetError if some folds are known and
    others are not.

    ``labels``: ``(N,)``. ``folds``: the set's own, "" for none. ``groups``: ``(N,)``, images of one number stay
    together. ``keys``: a unique name per image that depends on its content.
    """
    if options.leaky:
        groups = np.arange(len(labels))
    roles = official_roles(folds)

    def draw(rows: Rows, part: str, share: float, seed: int) -> None:
        drawn = assign(labels[rows], groups[rows], [keys[row] for row in rows.tolist()], (1 - share, share), seed)
        roles[rows] = np.array([TRAIN, part])[drawn]

    if TRAIN not in roles or not ({VALIDATION, TEST} & set(roles.tolist())):
        draw(np.flatnonzero(roles != LEFT_OUT), TEST, options.test_share, options.seed)
    else:
        for later, earlier in ((TEST, VALIDATION), (TEST, TRAIN), (VALIDATION, TRAIN)):
            tied = np.isin(groups, groups[roles == later])
            roles[(roles == earlier) & tied] = LEFT_OUT
    if VALIDATION not in roles and options.validation_share:
        draw(np.flatnonzero(roles == TRAIN), VALIDATION, options.validation_share, options.seed + 1)
    return roles


def check_k_folds(k: int, images: int) -> None:
    """Raise ConfigError if so few images cannot be divided into ``k`` folds."""
    if not 2 <= k <= images:
        raise ConfigError(f"there must be 2 to {images} folds, not {k}")


def k_folds(labels: Rows, groups: Rows, keys: Sequence[str], k: int, seed: int = 1) -> Rows:
    """Return the number, 0 to k - 1, of the fold in which each image is held out once; stratified, groups whole."""
    check_k_folds(k, len(labels))
    return assign(labels, groups, keys, (1 / k,) * k, seed)


def assign(labels: Rows, groups: Rows, keys: Sequence[str], shares: Sequence[float], seed: int) -> Rows:
    """Return a part number per image, so that every part has its share of every class and no group is divided.

    ``shares`` sum to 1. Groups that hold several classes are placed first, then the others from the
    largest to the smallest, each where most images of its class are still wanted.
    """
    if len(labels) == 0:
        return np.empty(0, dtype=np.int64)
    classes, codes = np.unique(labels, return_inverse=True)
    wanted = np.stack([_targets(int((codes == c).sum()), shares, f"{seed}:{label}") for c, label in enumerate(classes)])
    numbers, inverse = np.unique(groups, return_inverse=True)
    held = np.zeros((len(numbers), len(classes)), dtype=np.int64)
    np.add.at(held, (inverse, codes), 1)
    name = [""] * len(numbers)
    for row, group in enumerate(inverse):
        name[group] = min(name[group] or keys[row], keys[row])
    size, mixed = held.sum(1), (held > 0).sum(1) > 1
    order = sorted(range(len(numbers)), key=lambda g: (not mixed[g], -size[g], _draw(f"{seed}:{name[g]}"), name[g]))
    part = np.empty(len(numbers), dtype=np.int64)
    for group in order:
        here = np.flatnonzero(held[group])
        need = wanted[here].astype(np.float64)  # (classes of the group, parts)
        part[group] = int((held[group, here] @ need).argmax())
        wanted[here, part[group]] -= held[group, here]
    return part[inverse]


def _targets(n: int, shares: Sequence[float], key: str) -> Rows:
    """Return ``n`` divided into whole numbers, each within one of its share (largest remainders)."""
    exact = n * np.asarray(shares, dtype=np.float64)
    targets = np.floor(exact + 1e-9).astype(np.int64)
    # Ties of remainders are decided by lot, or every class would favour the same part.
    lot = [_draw(f"{key}:{part}") for part in range(len(shares))]
    order = sorted(range(len(shares)), key=lambda part: (-round(float(exact[part] - targets[part]), 9), lot[part]))
    for part in order[: n - int(targets.sum())]:
        targets[part] += 1
    return targets


def _draw(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def content_draw(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return a number in 0 to below 1 for each image, drawn by a hash of its pixels alone.

    Comparing it with a share holds out that share of the contents, equal images together, whatever the order and the
    rest of the set.
    """
    hashes = (blake2b(image.tobytes(), digest_size=4).digest() for image in images)
    return np.array([int.from_bytes(h, "big") / 2**32 for h in hashes])
