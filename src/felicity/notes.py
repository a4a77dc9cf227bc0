"""Notes: remarks that a reader of a result needs beside its figures, each with a code for programs.

A note is part of the answer, such as "windows of another model are left out". An error ends the work and is raised.
"""

from __future__ import annotations

from dataclasses import dataclass

from felicity.redaction import redacted

CODES: dict[str, str] = {
    "model-skipped": "Windows of another model are left out, because figures of two models cannot be compared.",
    "detector-skipped": "Windows of another detector are left out, because it finds other people.",
    "detector-unknown": "Older windows name no detector, and count with those of the location's first detector.",
    "no-windows": "A location that was asked for by name has no windows in this store and period.",
    "period-shortened": "The period is shorter than asked, so that no difference of figures tells of few people.",
    "longer-periods": "People are in longer periods only, because the crowd that they were published in is longer.",
    "nothing-published": "A location that was asked for by name has no release for this period.",
    "kept-coarser": "The store keeps only sums by the hour or day of old windows, so there are no finer figures.",
    "period-kept-coarser": "The period ends at a whole hour or day, because only their sums are kept of old windows.",
    "season-unknown": "The data span less than two years, so a trend cannot be told from the season of the year.",
    "no-comparison": "Without comparison, whatever else changed at the date counts as effect.",
    "groups-drifted": "The compared groups drifted apart already before the date, so the comparison is doubtful.",
    "unknown-destinations": "Destinations of flows that are no locations of the store are left out.",
    "no-city-index": "A report has no index of the city, although one was asked for.",
    "no-effect": "A report has no effect of a measure, although one was asked for.",
    "nothing-to-draw": "A chart is not drawn, because there is no adjusted figure.",
    "pictures-without-face": "Labelled pictures in which no face is found are left out of a calibration.",
    "clock-skipped": "A local time does not exist, because the location's clock was put forward over it.",
    "clock-twice": "A local time is ambiguous, because the location's clock was put back over it.",
    "all-images": "Every image of a data set is measured, because the model was not trained on them.",
    "class-merged": "The make-up of classes that are not the eight expressions.",
    "classes-differ": "Classes of one name, or models of one index, are made of different expressions.",
    "calibration-refused": "A bundle's calibration, or an expression's part in it, has too few images or does no good.",
    "class-missing": "A bundle never answers an expression, because no training face was labelled so.",
    "class-uncalibrated": "A bundle answers an expression that its calibration faces do not show.",
    "class-unlabelled": "A class that the model answers is no label of the data; the others share its probability.",
    "data-changed": "A data set is not what it was when a run was trained on it.",
    "group-small": "Groups of people have too few pictures for their figures to say much.",
    "images-resized": "Prepared images of another size or colour are converted to what the network takes.",
    "labels-unavailable": "Labels of another source beside the data set cannot be read.",
    "left-out": "Number and reason of images that are left out.",
    "licence-unstated": "Nobody stated the licence of a bundle's weights.",
    "no-history": "A bundle holds no history of its training.",
    "no-votes": "Labels are learnt as they are, because the data set has no votes to take soft labels from.",
    "parts-doubtful": "Groups of near-duplicates are large, many images are in no set, or a set lacks a class.",
    "parts-unknown": "Felicity cannot tell which images of a data set a model was trained on.",
    "read-as": "The way in which Felicity read a data set whose files leave a choice.",
    "way-of-answering": "The head of the model that answers, and the shares of the classes that it assumes.",
    # photographs, sources and watches
    "no-faces": "No face is found, so there is no happy share.",
    "matrix-part": "The soft matrix leaves out the part of its faces on which it is checked.",
    "not-calibrated": "The bundle's errors are not known, so counts cannot be adjusted.",
    "image-unreadable": "An image of a folder cannot be read and is left out.",
    "frames-damaged": "Frames that cannot be decoded whole are left out.",
    "frames-frozen": "The picture stands still for a while, and nobody is judged again in it.",
    "seeing-poor": "Felicity misses faces in some frames, because light or contrast is too low or noise too high.",
    "people-unjudged": "More than a quarter of the people found could not be judged; the share is of the others.",
    "covered-differs": "Places or periods differ in the share of people whose lower faces are covered.",
    "faces-blurred": "Many people were too blurred to judge, and blurred smiles of others are often missed.",
    "faces-lifted": "People had faces so faint that Felicity more than doubled their contrast before it judged them.",
    "seeing-changed": "On some days a camera saw otherwise than usual, so do not compare them with other days.",
    "people-missing": "On some days fewer than half of the usual people were found.",
    "video-cut-short": "A recording ends before its file says.",
    "start-guessed": "A recording does not say when it was made, so its file's last change is taken for it.",
    "source-lost": "A live source gives no frames, and Felicity tries to reach it again.",
    "source-back": "A live source gives frames again.",
    "windows-waiting": "The store takes no windows, so they wait in memory for the next try.",
    "heartbeat-missing": "The store does not accept a heartbeat, so a run that continues is shown as lost.",
    "frames-far-apart": "Frames are too far apart to follow people, so a person who stays may count more than once.",
    "location-near": "A new location is called almost like another one.",
    "counted-twice": "Another run has windows of the same camera or source in these minutes.",
    # many cameras
    "camera-state": "A camera has another state.",
    "frame-failed": "A frame is left out, because looking at it failed.",
    "cameras-loaded": "Cameras are started, ended or go on, as their file says.",
    "cameras-refused": "A changed file of cameras is wrong, so the cameras go on as before.",
    "cameras-not-running": "The cameras of a file are not watched at this moment.",
    "restart-needed": "A setting of all cameras together changes with the next start.",
    "windows-lost": "Too many windows wait for a store, so Felicity discards the oldest of them.",
    "store-back": "The store takes windows again after it did not.",
    "status-unwritten": "The status of cameras cannot be written, so what is shown of them is old.",
    # data sets and simulations
    "leaky-splits": "Duplicates straddle the splits, so results on them look too good.",
    "fitted-faces": "The weights are fitted to these faces, so results on them look too good.",
    "runtime-elsewhere": "An environment variable names another folder than that of the runtime just installed.",
    "weights-elsewhere": "An environment variable names another file of weights than the one installed.",
}
"""The meaning of each code, in one sentence."""


@dataclass(frozen=True)
class Note:
    """One remark: ``code`` is a key of ``CODES``; ``location`` is the name of the location that it is about, if any.

    Passwords in addresses are removed from ``text``. Raises ValueError for a code that is not listed.
    """

    code: str
    text: str
    location: str | None = None

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"note code {self.code!r} is not listed in felicity.notes.CODES")
        object.__setattr__(self, "text", redacted(self.text))

    def __str__(self) -> str:
        return self.text
