"""Archives: recordings of many places and days into a store, over processes or a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from felicity.api.seeing import begin_of, check_names, named_after, place_of
from felicity.api.selection import counting_classifier, opened

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.notes import Note
    from felicity.recognition.classifier import Classifier
    from felicity.watching.archive import ArchivedFile
    from felicity.watching.footage import Made
    from felicity.watching.pieces import Footage, Sight


@dataclass(frozen=True)
class Archive:
    """The outcome of each recording, ordered by name."""

    files: tuple[ArchivedFile, ...]
    notes: tuple[Note, ...] = ()

    def of(self, state: str) -> list[ArchivedFile]:
        """Return the recordings that are ``stored``, were ``there``, or ``failed``."""
        return [file for file in self.files if file.state == state]


def archive(
    sources: Sequence[str | Path] | str | Path,
    *,
    locations: str | Path | None = None,
    pattern: str | None = None,
    location: str | None = None,
    store: StoreLike = None,
    window: int = 60,
    fps: float | None = None,
    detector: str = "auto",
    smallest_face: float | None = None,
    every_frame: bool = False,
    bundle: str | Path | None = None,
    cluster: str | None = None,
    workers: int | None = None,
    piece: int = 600,
    on_file: Callable[[ArchivedFile], None] = lambda file: None,
    on_piece: Callable[[int, int], None] = lambda done, under_way: None,
    on_note: Callable[[Note], None] = lambda note: None,
) -> Archive:
    """Watch recordings and write their windows, as ``watch`` would one by one, without those in the store already.

    ``sources``: files, folders, patterns, also at addresses (``s3://…``). ``locations``: the table with location,
    camera and start of each file; ``pattern``: a regular expression that finds them in its path; ``location``: of files
    for which neither gives one. A file without a location, or one that cannot be read, is set aside. ``cluster``:
    address of a Ray cluster; ``workers``: number of processes without one, one for each core if None. ``piece``:
    seconds into which long recordings are cut. ``on_file`` receives each finished file, ``on_piece`` the numbers of
    finished and running pieces. Raises ConfigError, SourceError, StoreError, DetectorError, BundleError,
    ExtraMissingError, WorkError.
    """
    from felicity.watching.archive import archive as run
    from felicity.watching.footage import find_recordings
    from felicity.work.opening import open_work

    check_names(None, window)
    notes: list[Note] = []

    def say(note: Note) -> None:
        notes.append(note)
        on_note(note)

    given = [sources] if isinstance(sources, str | Path) else sources
    tellers = _tellers(locations, pattern, location)
    classifier = counting_classifier(bundle)
    sight = _sight(classifier, bundle, detector, smallest_face, fps, every_frame, window, piece)
    footage, unknown = _footage(find_recordings(given), tellers, store, say)
    for file in unknown:
        on_file(file)
    with open_work(cluster, workers=workers) as work, opened(store, create=True) as open_store:
        known = classifier.bundle
        open_store.save_model(known.id, known.soft_matrix, name=known.name)
        files = run(footage, sight, open_store, work, on_file=on_file, on_piece=on_piece, on_note=say)
    return Archive(tuple(sorted([*files, *unknown], key=lambda file: file.path)), tuple(notes))


def _sight(
    classifier: Classifier,
    bundle: str | Path | None,
    detector: str,
    smallest_face: float | None,
    fps: float | None,
    every_frame: bool,
    window: int,
    piece: int,
) -> Sight:
    """Return the settings for all workers. Raises ConfigError for impossible ones, DetectorError."""
    from felicity.errors import ConfigError
    from felicity.faces.detection import identity
    from felicity.faces.registry import open_detector
    from felicity.sources.registry import SourceOptions
    from felicity.watching.pieces import Sight

    SourceOptions(fps=fps)
    if piece < window:
        raise ConfigError(f"pieces last a window ({window} seconds) or longer, not {piece}")
    return Sight(
        None if bundle is None else str(bundle),
        detector,
        classifier.bundle.id,
        identity(open_detector(detector, smallest_face=smallest_face)),
        fps,
        smallest_face,
        every_frame,
        window,
        piece,
    )


def _tellers(
    locations: str | Path | None, pattern: str | None, location: str | None
) -> list[Callable[[str], Made | None]]:
    """Return the sources of locations for files, the most certain first. Raises ConfigError if there is none."""
    from felicity.errors import ConfigError
    from felicity.watching.footage import Made, Pattern, Table

    if locations is None and pattern is None and location is None:
        raise ConfigError("name the locations: a table with --locations, a --pattern of paths, or one --location")
    tellers: list[Callable[[str], Made | None]] = []
    if locations is not None:
        tellers.append(Table(Path(locations)).find)
    if pattern is not None:
        tellers.append(Pattern(pattern).find)
    if location is not None:
        tellers.append(lambda path: Made(location))
    return tellers


def _footage(
    paths: Sequence[str],
    tellers: Sequence[Callable[[str], Made | None]],
    store: StoreLike,
    say: Callable[[Note], None],
) -> tuple[list[Footage], list[ArchivedFile]]:
    """Return the recordings with a known location, and those that are set aside without one."""
    from felicity.errors import SourceError
    from felicity.watching.archive import ArchivedFile
    from felicity.watching.pieces import Footage

    footage, unknown = [], []
    places = {}
    for path in paths:
        said = [made for tell in tellers if (made := tell(path)) is not None]
        where = next((made.location for made in said if made.location), None)
        camera = next((made.camera for made in said if made.camera), None) or named_after(Path(path).name)
        if where is None:
            text = f"{path}: nothing names its location; give it a row of the table, or all such files a --location"
            unknown.append(ArchivedFile(path, "", camera, "failed", error=text))
            continue
        try:
            path.encode()
        except UnicodeEncodeError:
            raise SourceError(f"{path!a}: a name in UTF-8 expected, because the store keeps it; rename it") from None
        check_names(camera, 60)
        if where not in places:
            zone, doubts = place_of(where, store)
            places[where] = zone
            for note in doubts:
                say(note)
        start, doubt = begin_of(next((made.start for made in said if made.start), None), places[where])
        if doubt:
            say(replace(doubt, location=where))
        footage.append(Footage(path, where, camera, start, places[where]))
    return footage, unknown
