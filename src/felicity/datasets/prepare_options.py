"""Options of the preparation of images."""

from __future__ import annotations

from dataclasses import dataclass, field

from felicity.datasets.near import SIMILARITY, check_similarity
from felicity.datasets.splits import SplitOptions
from felicity.errors import ConfigError
from felicity.imaging.spec import Colour


@dataclass(frozen=True)
class PrepareOptions:
    """The options of prepared images.

    ``size``: side in pixels. ``deduplicate``: keep one of each group of identical images. ``drop_blank``: leave out
    blank images. ``folds``: number of cross-validation folds to draw (0: none). ``crop_name``: name of the face
    detector that crops, for the record. ``similarity``: least similarity of two near-duplicates, 0.5 to 1
    (``near.SIMILARITY``).
    """

    size: int = 48
    colour: Colour = "gray"
    deduplicate: bool = False
    drop_blank: bool = False
    folds: int = 0
    crop_name: str = ""
    similarity: float = SIMILARITY
    split: SplitOptions = field(default_factory=SplitOptions)

    def __post_init__(self) -> None:
        if not 8 <= self.size <= 1024:
            raise ConfigError(f"size must be 8 to 1024 pixels, not {self.size}")
        check_similarity(self.similarity)
        if self.colour not in ("gray", "rgb"):
            raise ConfigError(f"colour must be 'gray' or 'rgb', not {self.colour!r}")
        if self.folds and self.folds < 2:
            raise ConfigError(f"there must be 2 folds or more (or 0 for none), not {self.folds}")
