"""Sources of pictures: folders, video files, webcams, streams."""

from felicity.sources.frame import Frame, Source, SourceStats
from felicity.sources.registry import SourceOptions, open_source

__all__ = ["Frame", "Source", "SourceOptions", "SourceStats", "open_source"]
