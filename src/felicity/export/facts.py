"""The facts of a bundle on its origin, and notes for its maker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from felicity.export.head import Weighted
from felicity.labels import EXPRESSIONS
from felicity.models.bundle import Bundle
from felicity.notes import Note
from felicity.training.data import TrainingSet
from felicity.training.run import TrainingRun, environment

UNSTATED = "not stated"
"""Stands for the licence of weights until someone states it."""


def notes_on(bundle: Bundle) -> tuple[Note, ...]:
    """Return what classes a bundle has, what it never answers, was not calibrated for, and does not state."""
    classes, facts = bundle.classes, bundle.facts
    found = []
    if classes.merged:
        found.append(Note("class-merged", f"tells {len(classes.names)} classes apart: {classes.text}"))
    known = {expression for made_of in classes.members.values() for expression in made_of}
    if absent := [expression for expression in EXPRESSIONS if expression not in known]:
        text = f"never answers {', '.join(absent)}: such faces count as the expression that they resemble most"
        found.append(Note("class-missing", text))
    if classes.happy is None:
        found.append(Note("class-missing", "has no class of happy alone, so it gives no happiness index"))
    prior = facts.prior
    if unheld := [name for name, place in zip(classes.names, classes.places, strict=True) if prior[place] == 0]:
        text = (
            f"the validation set has no face labelled {', '.join(unheld)}: how such faces are answered is not "
            "known, and their share is 0 with any --evenness; train with a larger --validation-share"
        )
        found.append(Note("class-uncalibrated", text))
    found += _of_calibration(facts.calibration or {}, facts.labels)
    if facts.licence == UNSTATED:
        data = (facts.training or {}).get("config", {}).get("data", {})
        terms = data.get("licence")
        about = f"the terms of {data.get('name') or 'the data'} are stated as {terms}" if terms else "mind the data's"
        text = f"nobody stated the licence of these weights, and the bundle says so; state it with --licence ({about})"
        found.append(Note("licence-unstated", text))
    return tuple(found)


def _of_calibration(chosen: dict[str, Any], labels: Sequence[str]) -> list[Note]:
    """Return what calibration was refused, and why."""
    fewest, images = chosen.get("fewest", 0), dict(zip(labels, chosen.get("images", ()), strict=False))
    few = ", ".join(f"{label} {n}" for label, n in images.items() if 0 < n < fewest)
    more = "train with more images, or a larger --validation-share"
    if "ece" not in chosen:
        text = (
            f"probabilities are not calibrated: two expressions need {fewest} validation images each, and there are "
            f"{few}; {more}"
        )
        return [Note("calibration-refused", text)] if chosen else []
    found = []
    if few:
        text = f"no bias is fitted to expressions with fewer than {fewest} validation images ({few}); {more}"
        found.append(Note("calibration-refused", text))
    if chosen["method"] == "none":
        text = "probabilities stay as they are, because no temperature or bias lowers their errors on images held out"
        found.append(Note("calibration-refused", text))
    return found


def origin(run: TrainingRun, held: TrainingSet, matrix_of: Mapping[str, Weighted]) -> dict[str, Any]:
    """Return what goes in and comes out, and what it was trained and calibrated on, in words."""
    stated, classes = run.config.data, run.told()[0].text
    source = " and ".join([stated.name or PurePath(stated.path).name, *(PurePath(each).name for each in stated.more)])
    first = "" if not stated.more else f" of {stated.name or PurePath(stated.path).name}"
    how = f"; {matrix_words(matrix_of)}{first}" if len(matrix_of) > 1 or stated.more else ""
    if any(of.weights is not None for of in matrix_of.values()):
        how += "; in the soft matrix weighted so that their labels are as clear as all labels"
    return {
        "labels": [str(e) for e in EXPRESSIONS],
        "classes": run.told()[0].to_json(),
        "input": {"size": run.size, "colour": run.colour, "mean": run.mean, "std": run.std},
        "made_with": "felicity train, felicity bundle export",
        "trained_on": f"{source}, training set: {len(held.train)} images of {classes}",
        "calibrated_on": f"{source}, validation set: {len(held.validation)} held-out images, which also "
        f"chose the epoch{how}",
    }


def matrix_words(matrix_of: Mapping[str, Weighted]) -> str:
    """Return which faces the soft matrix is of."""
    return "the soft matrix on " + " and ".join(f"{len(of.rows)} of the {name} set" for name, of in matrix_of.items())


def settings_of(run: TrainingRun) -> dict[str, Any]:
    """Return the settings of a run and its date; paths by their last name, to keep folders private."""
    config = run.config.model_dump()
    for key in ("path", "classes"):
        if value := config["data"][key]:
            config["data"][key] = PurePath(value).name
    config["data"]["more"] = [PurePath(each).name for each in config["data"]["more"]]
    config["start"] = run.facts.get("start")
    config["teachers"] = list(run.facts.get("teachers", []))
    return {"config": config, "date": run.facts.get("date")}


def training_facts(run: TrainingRun, epoch: int, difference: float) -> dict[str, Any]:
    """Return everything that a repeated training needs."""
    return {
        **settings_of(run),
        "classes": list(run.classes),
        **({"second_classes": list(run.second_classes)} if run.second_classes else {}),
        **({"members": dict(run.members)} if run.members else {}),
        "epoch": epoch,
        "data": run.facts["data"],
        "environment": run.facts["environment"],
        "exported_in": environment(),
        "largest_difference": difference,
    }
