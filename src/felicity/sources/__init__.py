"""Where pictures come from: folders, video files, webcams, streams."""

from felicity.sources.frame import Frame, Source, SourceStats

__all__ = ["Frame", "Source", "SourceStats"]
