"""The Python API: what the commands do, as functions with typed results.

``store``: a file or URL, None for the user's own. Times are dates, which begin at midnight, or datetimes;
without a zone they are meant on each location's clock. ``locations``: names, or a single one; None for all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from felicity.cities.city import CityIndex, Weight
    from felicity.index import IndexRow
    from felicity.over_time.effect import Effect
    from felicity.over_time.series import Series, Step
    from felicity.over_time.trend import Trend
    from felicity.recognition.photograph import FaceReading
    from felicity.watching.watch import WatchSummary
    from felicity.windows.buckets import By


def read(
    image: str | Path | bytes | npt.NDArray[np.uint8],
    *,
    detector: str = "auto",
    crop: bool = False,
    bundle: str | Path | None = None,
) -> list[FaceReading]:
    """Faces of one picture and what they show, best detection first.

    ``image``: a file, its bytes, or uint8 ``(height, width, 3)`` RGB. ``crop``: it is a face already.
    For many pictures use ``felicity.recognition.photographs.read_photographs``, which opens the
    network once. Raises ImageError, DetectorError, BundleError; ValueError for an array of another kind.
    """
    from felicity.faces.registry import open_detector
    from felicity.imaging.decode import read_image
    from felicity.recognition.classifier import Classifier
    from felicity.recognition.photograph import read_faces

    pixels = image if isinstance(image, np.ndarray) else read_image(image)
    return read_faces(pixels, Classifier.open(bundle), None if crop else open_detector(detector))


def watch(
    source: str | Path | int,
    *,
    location: str,
    camera: str | None = None,
    store: str | Path | None = None,
    window: int = 60,
    fps: float | None = None,
    start: date | None = None,
    detector: str = "auto",
    bundle: str | Path | None = None,
    annotate: str | Path | None = None,
    on_frame: Callable[[WatchSummary], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    on_open: Callable[[Callable[[], None]], None] | None = None,
) -> WatchSummary:
    """Watch a source to its end and write its windows; the options are those of ``felicity watch``.

    Times without a zone, ``start`` and those of photographs, are of the location's clock, which is UTC until the store
    knows better. ``on_open`` is given a function that ends the watch soon, the open window written. Raises SourceError,
    StoreError, DetectorError, BundleError, ConfigError, ImageError.
    """
    from felicity.errors import ConfigError, SourceError
    from felicity.faces.registry import open_detector
    from felicity.imaging.encode import check_video
    from felicity.recognition.classifier import Classifier
    from felicity.sources.registry import SourceOptions, open_source
    from felicity.store import open_store
    from felicity.watching.watch import watch_source
    from felicity.windows import Location
    from felicity.windows.buckets import clock_doubt
    from felicity.windows.window import LONGEST

    Location(location)
    if not 1 <= window <= LONGEST:
        raise ConfigError(f"a window lasts 1 to {LONGEST} seconds, not {window}")
    if camera is not None and not camera.strip():
        raise ConfigError(f"a camera needs a name, not {camera!r}; leave it out to name it after the source")
    path = Path(str(source))
    name = str(path.resolve()) if str(source).strip() and path.exists() else str(source)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SourceError(f"{str(source)!a}: a name in UTF-8 expected, for the store keeps it; rename it") from None
    if annotate is not None and path.exists() and Path(annotate).resolve() == path.resolve():
        raise ConfigError(f"{annotate} is what is to be watched; write the annotated video elsewhere")
    zone, doubt = _clock_of(location, store), None
    start = None if start is None else _moment(start, "start")
    if start is not None and start.tzinfo is None:
        doubt, start = clock_doubt(start, zone), start.replace(tzinfo=zone)
    if annotate is not None:
        check_video(Path(annotate))
    classifier, finder = Classifier.open(bundle), open_detector(detector)
    with (
        open_source(name, options=SourceOptions(start=start, fps=fps, zone=zone, on_note=on_note)) as frames,
        open_store(store) as opened,
    ):
        if on_open:
            on_open(frames.stop)
        return watch_source(
            frames,
            location=location,
            camera=camera or Path(frames.source_id).stem or frames.source_id,
            store=opened,
            classifier=classifier,
            detector=finder,
            seconds=window,
            annotate=Path(annotate) if annotate else None,
            notes=[f"{doubt}; give the start with its offset from UTC to be sure"] if doubt else [],
            on_frame=on_frame,
            on_note=on_note,
        )


def _clock_of(location: str, store: str | Path | None) -> ZoneInfo:
    """The zone of the location's clock; UTC, as a new location has it, where there is no store or it is not known."""
    from felicity.errors import StoreError
    from felicity.store import open_store
    from felicity.windows import Location

    new = Location(location)
    try:
        opened = open_store(store, create=False)
    except StoreError:  # there is none yet; what else is wrong with it is said when it is opened for writing
        return new.zone
    with opened:
        return (opened.location(location) or new).zone


def _moment(time: date, name: str) -> datetime:
    """A datetime as it is, a date's midnight; ConfigError for what is neither."""
    from felicity.errors import ConfigError

    if isinstance(time, datetime):
        return time
    if isinstance(time, date):
        return datetime(time.year, time.month, time.day)
    raise ConfigError(f"{name} is a date or a datetime, not {time!r}; datetime.fromisoformat reads text")


def _period(begin: date | None, end: date | None) -> tuple[datetime | None, datetime | None]:
    return None if begin is None else _moment(begin, "begin"), None if end is None else _moment(end, "end")


def _names(locations: Sequence[str] | str | None) -> Sequence[str] | None:
    return [locations] if isinstance(locations, str) else locations


def happiness(
    *,
    store: str | Path | None = None,
    begin: date | None = None,
    end: date | None = None,
    by: By = "total",
    locations: Sequence[str] | str | None = None,
    k: int = 10,
    model: str | None = None,
) -> tuple[list[IndexRow], list[str]]:
    """The happiness index of places and periods, and remarks on what was left out of it.

    ``begin`` ≤ start of a window < ``end``. ``by``: total, minute, hour, day, week or month. Figures of fewer than
    ``k`` people are None. ``model``: a bundle's ``id``, by default that of the latest windows. Raises StoreError,
    ConfigError.
    """
    from felicity.index import compute_index
    from felicity.store import open_store

    names = _names(locations)
    first, last = _period(begin, end)
    with open_store(store, create=False) as opened:
        groups = opened.sums(by, begin=first, end=last, locations=names, model=model, k=k)
        rows = compute_index(groups, opened.soft_matrices(), k=k)
    absent = _absent(names, {row.location for row in rows}, model)
    return rows, [*groups.notes, *absent.values()]


def _absent(asked: Sequence[str] | None, found: Collection[str], model: str | None = None) -> dict[str, str]:
    """What is to be said of locations that were asked for by name and have no windows."""
    windows = "windows" if model is None else f"windows of model {model}"
    return {name: f"{name}: there are no {windows} in this period" for name in asked or () if name not in found}


def series(
    *,
    store: str | Path | None = None,
    begin: date | None = None,
    end: date | None = None,
    by: Step | str = "day",
    locations: Sequence[str] | str | None = None,
    k: int = 10,
    model: str | None = None,
) -> tuple[dict[str, Series], list[str]]:
    """Happy shares by hour, day or week as a regular series per location, and remarks; as for ``happiness``."""
    from felicity.errors import noted
    from felicity.over_time.series import Step, series_of

    step = Step(by)
    rows, notes = happiness(store=store, begin=begin, end=end, by=step.value, locations=locations, k=k, model=model)
    with noted(notes):
        return series_of(rows, step), notes


def trends(
    series: Mapping[str, Series], locations: Sequence[str] | str | None = None
) -> tuple[list[Trend], dict[str, str]]:
    """The trend of each location, and why others have none, among them those of ``locations`` without a series.

    Raises EstimateError if no location has one.
    """
    from felicity.errors import EstimateError
    from felicity.over_time.trend import estimate_trend

    found, lacking = [], {}
    for name, one in series.items():
        try:
            found.append(estimate_trend(one))
        except EstimateError as error:
            lacking[name] = str(error)
    lacking |= _absent(_names(locations), series)
    if not found:
        raise EstimateError(next(iter(lacking.values()), "there is nothing counted in this store and period yet"))
    return found, lacking


def effect(
    at: date,
    locations: Sequence[str] | str,
    comparison: Sequence[str] | str = (),
    *,
    store: str | Path | None = None,
    begin: date | None = None,
    end: date | None = None,
    by: Step | str = "day",
    k: int = 10,
    model: str | None = None,
) -> tuple[Effect, list[str]]:
    """The effect at ``at``, if without a zone on the locations' clock, and remarks; see ``over_time.effect``."""
    from felicity.errors import noted
    from felicity.over_time.effect import estimate_effect

    moment, touched, others = _moment(at, "at"), _names(locations) or (), _names(comparison) or ()
    names = list(dict.fromkeys((*touched, *others)))
    read, notes = series(store=store, begin=begin, end=end, by=by, locations=names, k=k, model=model)
    if moment.tzinfo is None and read:
        moment = moment.replace(tzinfo=next(iter(read.values())).starts[0].tzinfo)
    with noted(notes):
        return estimate_effect(read, moment, touched, others), notes


def city(
    *,
    store: str | Path | None = None,
    weight: Weight | None = None,
    footfall: str | Path | None = None,
    begin: date | None = None,
    end: date | None = None,
    locations: Sequence[str] | str | None = None,
    k: int = 10,
    model: str | None = None,
) -> CityIndex:
    """The index of a city from its locations, weighted by population, visits or people; see ``cities.city``.

    ``footfall``: CSV of visits by location and hour, or of flows between areas (``cities.footfall``). ``weight``: by
    default visits where they are given, else population. Raises ConfigError for flows that weigh nothing.
    """
    from felicity.cities.city import city_index
    from felicity.cities.footfall import read_footfall
    from felicity.errors import ConfigError, noted
    from felicity.store import open_store

    names = _names(locations)
    first, last = _period(begin, end)
    with open_store(store, create=False) as opened:
        places = [place for place in opened.locations() if names is None or place.name in names]
        visits = read_footfall(Path(footfall), opened.locations()) if footfall else None
        weight = weight or ("visits" if visits else "population")
        if visits and not visits.hours and weight != "visits":
            raise ConfigError(f"flows weigh places by visits alone, not by {weight}; leave --weight or --footfall out")
        by: By = "hour" if visits and visits.hours else "total"
        groups = opened.sums(by, begin=first, end=last, locations=names, model=model, k=k)
        with noted(groups.notes):
            return city_index(groups, opened.soft_matrices(), places, weight=weight, footfall=visits, k=k)
