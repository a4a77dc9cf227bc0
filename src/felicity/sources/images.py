"""Photographs: one, or a folder of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from felicity.errors import ImageError, SourceError
from felicity.imaging.decode import image_suffixes, photo_time, read_image
from felicity.imaging.folder import images_below
from felicity.sources.frame import Frame
from felicity.sources.registry import SourceKind, SourceOptions, register


@register
class ImageSource(SourceKind):
    """One image, or all images below a folder, in the order of time; those of one moment by name (2 before 10).

    A photograph's time is when it was taken (Exif), else when its file was last changed. With ``start`` or ``fps`` the
    folder is a sequence instead: ordered by name, from ``start`` (or the first picture's time) on, with ``fps``
    pictures per second (or one).

    An unreadable image of a folder is counted, noted and skipped. Hidden files and other kinds of files are ignored;
    memory holds names and times alone.
    """

    kind = "images"
    rank = 20

    def __init__(self, source_id: str, paths: list[Path], options: SourceOptions) -> None:
        super().__init__(source_id, options)
        self.paths = paths
        # Pictures with a frame rate form a film of one scene.
        self.stills = options.fps is None
        self.alone = len(paths) == 1 and str(paths[0]) == source_id

    @classmethod
    def claims(cls, source: str) -> bool:
        """Return whether it is a folder, or a file named like an image except GIF, which may be animated."""
        path = Path(source)
        return path.is_dir() or (path.is_file() and path.suffix.lower() in image_suffixes() - {".gif"})

    @classmethod
    def open(cls, source: str, options: SourceOptions) -> ImageSource:
        """List the images; raises SourceError if there are none."""
        path = Path(source)
        try:
            paths = images_below(path) if path.is_dir() else [path]
        except ImageError as error:
            raise SourceError(str(error)) from error
        if not paths:
            raise SourceError(f"there is no image in the folder {source} or below it; expected JPEG, PNG or the like")
        return cls(source, paths, options)

    def _frames(self) -> Iterator[Frame]:
        for number, (time, path) in enumerate(self._timed()):
            if self._stopping.is_set():
                return
            try:
                image_rgb_u8 = read_image(path, max_pixels=self.options.max_pixels)
            except ImageError as error:
                if self.alone:
                    raise SourceError(str(error)) from error
                self.stats.errors += 1
                self._note("image-unreadable", str(error))
                continue
            yield Frame(image_rgb_u8, time, self.source_id, number)
        if self.stats.errors == len(self.paths):
            raise SourceError(
                f"none of the {len(self.paths)} images in {self.source_id} can be read: {self.stats.notes[0]}"
            )

    def _timed(self) -> Iterator[tuple[datetime, Path]]:
        options = self.options
        if options.start is None and options.fps is None:
            # A stable sort: pictures of the same moment stay in the order of names.
            timed = []
            for path in self.paths:
                if self._stopping.is_set():
                    return
                timed.append((_time(path, options.zone), path))
            yield from sorted(timed, key=lambda pair: pair[0])
            return
        start = (options.start or _time(self.paths[0], options.zone)).astimezone(UTC)
        for i, path in enumerate(self.paths):
            yield start + timedelta(seconds=i / (options.fps or 1.0)), path


def _time(path: Path, zone: tzinfo | None) -> datetime:
    """Return when the photograph was taken, else when the file was changed, in UTC."""
    taken = photo_time(path, zone)
    if taken is not None:
        return taken
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:  # removed meanwhile, or a dangling link: reading it reports that
        return datetime.fromtimestamp(0, UTC)
