"""The happiness index: from windows to happy shares with their intervals."""

from felicity.index.happiness import Figure, GroupKey, Groups, IndexRow, compute_index
from felicity.index.soft_matrix import SoftMatrix

__all__ = ["Figure", "GroupKey", "Groups", "IndexRow", "SoftMatrix", "compute_index"]
