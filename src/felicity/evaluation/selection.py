"""The choice of images for a model and their labels: one set per convention of labelling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.datasets.archives import FileTree, open_tree
from felicity.datasets.classes import EIGHT
from felicity.datasets.ferplus_table import VOTES_TABLE
from felicity.datasets.manifest import MANIFEST, Manifest, read_images, read_manifest
from felicity.datasets.readers.ferplus import FerPlus
from felicity.datasets.readers.prepared import Prepared
from felicity.datasets.samples import Image
from felicity.datasets.splits import LEFT_OUT
from felicity.errors import DatasetError
from felicity.evaluation.judge import Judge
from felicity.labels import parse_expression
from felicity.metrics.classification import Floats, Rows, floats
from felicity.notes import Note
from felicity.training.config import DataConfig
from felicity.training.data import in_our_order, open_prepared

Progress = Callable[[int, int], None]
Flags = npt.NDArray[np.bool_]
Trained = Callable[[Manifest], Flags]
ALL = "all"
"""The split that holds every image."""
CONVENTIONS = {"ferplus": "fer2013-csv", "fer2013-csv": "ferplus"}
"""The two label formats of the same faces."""
LABELS_OF = {"ferplus": "FER+", "fer2013-csv": "FER2013", "fer2013-folders": "FER2013"}
"""Source of the labels in a format, unless it is the format's own name."""
VOTES = {"shares": "majority", "majority": "absolute majority"}
"""Names of the rules that read votes: the most voted answer, and more than half of all votes."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """Labelled images of one split by one convention.

    ``names`` (N,): as in the data set. ``images``: uint8 ``(N, S, S[, 3])``. ``labels`` (N,): index into ``classes``,
    which are the model's classes with labels in the data, in the model's order. ``groups`` (N,): images of one number
    resemble each other or show one subject. ``seen`` (N,): whether the training set holds an image of the group.
    ``notes``: left-out images, with reasons. ``judge``: the model, or its second head if that learnt this convention.
    """

    title: str
    classes: tuple[str, ...]
    names: npt.NDArray[np.str_] = field(repr=False)
    images: Image = field(repr=False)
    labels: Rows = field(repr=False)
    groups: Rows = field(repr=False)
    seen: Flags = field(repr=False)
    notes: tuple[Note, ...]
    judge: Judge = field(repr=False)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class LabelledSource:
    """A data set as read by one convention, called ``title``: its manifest and images.

    ``labels_of``: the source of the labels.
    """

    title: str
    labels_of: str
    manifest: Manifest
    images: Image = field(repr=False)


def data_of(judge: Judge, path: str | None, format: str | None, classes: str | None) -> DataConfig:
    """Return the reading of data for ``judge``: like its run's own, except for the given arguments.

    ``path`` None: the run's own data. Raises DatasetError.
    """
    own: DataConfig | None = None if judge.run is None else judge.run.config.data
    where = path if path is not None else own.path if own is not None else None
    if where is None:
        raise DatasetError(f"{judge.name}: a bundle does not know its data; name a data set with --data")
    if path is None and judge.run is not None and not Path(where).exists():
        raise DatasetError(f"{where}: is not there, and {judge.run.folder} was trained on it; say where with --data")
    if (Path(where) / MANIFEST).is_file():
        if classes:
            raise DatasetError(f"{where}: is prepared with its classes, and stays so; leave --classes out")
        if format not in (None, Prepared.name, read_manifest(Path(where)).format):
            raise DatasetError(f"{where}: is prepared data, and is not read as {format}; leave --format out")
    if own is None:
        return DataConfig(path=where, format=format, classes=classes, size=judge.size, colour=judge.colour)
    same = Path(where).resolve() == Path(own.path).resolve()
    changes = {"path": where} | ({} if same and format is None else {"format": format})
    changes |= {} if same else {"name": None, "licence": None}
    return own.model_copy(update=changes | ({"classes": classes} if classes else {}))


def labelled_sources(config: DataConfig, progress: Progress | None = None) -> tuple[list[LabelledSource], list[Note]]:
    """Return the data set by each of its conventions, the requested one first; and remarks. Raises DatasetError.

    FER2013's faces have two conventions if FER+'s votes lie beside them, and prepared data those of their preparation.
    """
    found = [_source(config, progress)]
    if (Path(config.path) / MANIFEST).is_file():
        return found + _prepared_with(found[0]), _resized(config)
    notes = []
    other = CONVENTIONS.get(found[0].manifest.format)
    if other and _has_votes(Path(config.path)):
        try:
            found.append(_source(config.model_copy(update={"format": other}), progress))
        except DatasetError as error:
            notes.append(Note("labels-unavailable", f"labels of {other} are not shown: {error}"))
    return found, notes


def _resized(config: DataConfig) -> list[Note]:
    """Return a note if the images were prepared with another size or colour than the network takes."""
    images = read_images(Path(config.path))
    side, colour = images.shape[1], "rgb" if images.ndim == 4 else "gray"
    if (side, colour) == (config.size, config.colour):
        return []
    text = (
        f"images prepared with {side} pixels in {colour} are converted to {config.size} pixels in {config.colour}, as "
        f"the network takes them"
    )
    return [Note("images-resized", text)]


def _source(config: DataConfig, progress: Progress | None) -> LabelledSource:
    manifest, images = open_prepared(config, progress, resize=True)
    labels_of = LABELS_OF.get(manifest.format, manifest.format)
    if (Path(config.path) / MANIFEST).is_file():
        title = f"labels as prepared ({manifest.format})"
    elif manifest.format == "ferplus":
        title = f"FER+ {VOTES.get(config.votes, config.votes)}"
    else:
        title = "FER2013's own labels" if labels_of == "FER2013" else f"labels of {labels_of}"
    return LabelledSource(title, labels_of, manifest, images)


def _prepared_with(source: LabelledSource) -> list[LabelledSource]:
    """Return the same prepared images with the labels of other sources, if these name at least two classes."""
    result = []
    for labels_of, said in source.manifest.other_labels.items():
        classes = in_our_order(set(said.tolist()) - {""})
        if len(classes) > 1:
            labels = np.array([classes.index(name) if name else -1 for name in said.tolist()], dtype=np.int64)
            manifest = replace(source.manifest, classes=classes, labels=labels, soft_labels=None)
            result.append(LabelledSource(f"labels of {labels_of}, as prepared", labels_of, manifest, source.images))
    return result


def _has_votes(path: Path) -> bool:
    """Return whether FER2013's faces at ``path`` can be read by their own labels and by FER+'s votes."""
    tree = open_tree(path)
    if isinstance(tree, FileTree):
        return tree.path.name == VOTES_TABLE or (tree.path.parent / VOTES_TABLE).is_file()
    return FerPlus().sniff(tree, EIGHT) > 0


def choose(judge: Judge, found: list[LabelledSource], split: str, trained: Trained) -> list[Chosen]:
    """Return the images of ``split`` by each convention, and again for each other kind of the model's answers.

    The first convention decides which images those are.

    ``trained``: for a manifest, the rows that the model was trained on, if known. Raises DatasetError if no labelled
    image is in the split, or model and data have fewer than two classes in common.
    """
    first = found[0].manifest
    rows = _rows_of(first, split, judge.name)
    folds = set(first.folds[rows].tolist()) - {""}
    whole = bool(folds) and len(rows) == int(np.isin(first.folds, list(folds)).sum())
    result = []
    for number, source in enumerate(found):
        manifest = source.manifest
        if number == 0:
            here = rows
        elif split.lower() == ALL:
            here = np.arange(len(manifest.names))
        elif whole:  # a published fold: every image that this convention labels
            here = np.flatnonzero(np.isin(manifest.folds, list(folds)))
        else:  # a drawn part: the same images
            here = np.flatnonzero(np.isin(manifest.names, first.names[rows]))
        seen = np.isin(manifest.groups, manifest.groups[trained(manifest)])
        second = judge.second
        asked = second if second is not None and second.labels_of == source.labels_of else judge
        result.append(_restricted(asked, source, here, seen, split))
    for chosen in tuple(result):
        for how, other in chosen.judge.otherwise.items():
            notes = (Note("way-of-answering", other.remark), *chosen.notes[bool(chosen.judge.remark) :])
            result.append(replace(chosen, title=f"{chosen.title}, {how}", judge=other, notes=notes))
    return result


def _rows_of(manifest: Manifest, split: str, where: str) -> Rows:
    """Return the rows of a drawn split or of the set's own fold, by name in any case; ``all`` is every row."""
    if split.lower() == ALL:
        return np.arange(len(manifest.names))
    for column in (manifest.splits, manifest.folds):
        names = {name.lower(): name for name in set(column.tolist()) if name not in ("", LEFT_OUT)}
        if split.lower() in names:
            return np.flatnonzero(column == names[split.lower()])
    there = [
        f"{name} ({int((column == name).sum()):,})"
        for column in (manifest.splits, manifest.folds)
        for name in sorted(set(column.tolist()) - {"", LEFT_OUT})
    ]
    listed = ", ".join(dict.fromkeys((*there, f"{ALL} ({len(manifest.names):,})")))
    raise DatasetError(f"split {split!r} has no images; there are {listed}")


def _restricted(judge: Judge, source: LabelledSource, rows: Rows, seen: Flags, split: str) -> Chosen:
    manifest = source.manifest
    belongs = _belonging(judge, manifest)
    common = tuple(name for name in judge.classes if name in belongs.values())
    if len(common) < 2:
        raise DatasetError(
            f"{judge.name} knows {', '.join(judge.classes)}, and the data are labelled {', '.join(manifest.classes)}: "
            f"two classes or more in common are needed, found {len(common)}; choose other data, or --classes"
        )
    number = np.array([common.index(belongs[n]) if n in belongs else -1 for n in manifest.classes] + [-1])
    labels = number[manifest.labels[rows]]  # the last one for -1
    notes = [Note("way-of-answering", judge.remark)] if judge.remark else []
    notes += _merged(judge, manifest, belongs)
    if not_answered := [name for name in judge.classes if name not in common]:
        text = (
            f"{', '.join(not_answered)}: answered by the model, but no label of the data; its probability is shared "
            f"out among the other answers"
        )
        notes.append(Note("class-unlabelled", text))
    for i, name in enumerate(manifest.classes):
        if name not in belongs and (left := int((manifest.labels[rows] == i).sum())):
            text = f"{left:,} images labelled {name} are left out, because the model does not know that class"
            notes.append(Note("left-out", text))
    if undecided := int((manifest.labels[rows] < 0).sum()):
        notes.append(Note("left-out", f"{undecided:,} images without a single label are left out"))
    whole_set = manifest.left_out.items()
    notes += [Note("left-out", f"left out of the whole set: {n:,} {reason}") for reason, n in whole_set]
    notes += [Note("read-as", remark) for remark in manifest.remarks]
    kept = np.flatnonzero(labels >= 0)
    if not len(kept):
        raise DatasetError(f"split {split!r} has {len(rows):,} images, but none labelled {', '.join(common)}")
    rows = rows[kept]
    return Chosen(
        title=source.title,
        classes=common,
        names=manifest.names[rows],
        images=np.ascontiguousarray(source.images[rows]),
        labels=labels[kept],
        groups=manifest.groups[rows],
        seen=seen[rows],
        notes=tuple(notes),
        judge=judge,
    )


def _belonging(judge: Judge, manifest: Manifest) -> dict[str, str]:
    """Map each class of the data to one of the model: of the same name, else the one that contains its expressions."""
    found = {name: name for name in manifest.classes if name in judge.classes}
    for name in manifest.classes:
        if name in found or judge.members is None:
            continue
        made_of = manifest.members.get(name) or (parse_expression(name),)
        known = None if None in made_of else judge.members.class_of(map(str, made_of))
        if known is not None:
            found[name] = known
    return found


def _merged(judge: Judge, manifest: Manifest, belongs: dict[str, str]) -> list[Note]:
    """Return labels that count as another class, and classes of equal name with different expressions."""
    notes = []
    for known in judge.classes:
        if told := [name for name, to in belongs.items() if to == known != name]:
            notes.append(Note("class-merged", f"images labelled {', '.join(told)} count as {known}"))
        here, there = manifest.members.get(known, ()), () if judge.members is None else judge.members.members[known]
        if here and there and set(here) != set(there):
            text = f"class {known} is {', '.join(here)} in the data, and {', '.join(there)} to the model"
            notes.append(Note("classes-differ", text))
    return notes


def answers(chosen: Chosen) -> Floats:
    """Return probabilities ``(N, C)`` of the classes of ``chosen``, scaled to a sum of 1."""
    columns = [chosen.judge.classes.index(name) for name in chosen.classes]
    given = chosen.judge.probabilities(chosen.images)[:, columns]
    return floats(given / np.maximum(given.sum(1, keepdims=True), 1e-12))
