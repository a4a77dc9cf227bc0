"""Answers about seen people: photographs, and a watched source."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from felicity.schemas.shape import Count, Percent, Shape, Share, Time, rounded

Box = tuple[float, float, float, float]


class FaceShape(Shape):
    """A face in a photograph."""

    box_xyxy: Annotated[Box, Field(description="Left, top, right, bottom, in pixels.")] | None = Field(
        description="Null if the whole image is the face (--crop)."
    )
    detection_score: Annotated[float, rounded(4)] = Field(
        description="Confidence of the detector, on its own scale (yunet: 0..1); 1 with --crop."
    )
    expression: str = Field(
        description=("The most probable class: an expression, or a class into which the bundle merges several.")
    )
    probabilities: dict[str, Annotated[Share, rounded(6)]] = Field(
        description=(
            "Probability of each class of the bundle, 0..1; without own classes, of the eight expressions. They "
            "add up to 1."
        )
    )
    happy: Annotated[Share, rounded(6)] | None = Field(
        description="Probability of happy, 0..1; null if no class of the bundle is happy alone."
    )
    covered: bool | None = Field(
        description=(
            "True if the lower face is covered, as by a mask: the other figures then say little, and no share counts "
            "the face. Null if the bundle does not tell, or the face is below 32 pixels."
        ),
    )


class ImageShape(Shape):
    """A photograph: one line of ``felicity classify --json``."""

    image: str = Field(description="Path as given.")
    faces: list[FaceShape] = Field(description="Faces, the best detection first.")
    error: str | None = Field(description="The reason why the image cannot be read; then there are no faces.")


class PeopleShareShape(Shape):
    """Happy share of people, in percent, from the probabilities of each person."""

    people: Annotated[int, Field(ge=1)]
    counted: Annotated[Percent, rounded(4)] = Field(
        description="Share of people whose most probable expression is happy."
    )
    adjusted: Annotated[Percent, rounded(4)] = Field(
        description="The share corrected for the classifier's known errors."
    )
    low: Annotated[Percent, rounded(4)] = Field(description="Lower end of the 95 % interval of adjusted.")
    high: Annotated[Percent, rounded(4)] = Field(description="Upper end of the 95 % interval of adjusted.")
    emq: Annotated[Percent, rounded(4)] = Field(description="The share corrected by expectation maximisation instead.")


class ClassifyShareShape(Shape):
    """Photographs with the happy share of all faces in them."""

    images: list[ImageShape] = Field(description="Images in the given order.")
    happy_share: PeopleShareShape | None = Field(description="Null without a face.")


class ClassifiedShape(Shape):
    """Counts of images whose faces were written to a file or folder."""

    output: str = Field(description="The Parquet file, or the folder of such files.")
    images: Count
    faces: Count
    happy: Count | None = Field(description="Happy faces; null if no class of the bundle is happy alone.")
    covered: Count = Field(description="Faces whose lower part is covered; they are not among the happy ones.")
    unreadable: Count = Field(description="Images that cannot be read; their rows say why.")
    there: Count = Field(description="Images that were there before, and were not read again.")


class WatchShape(Shape):
    """The sums of a watch."""

    location: str
    camera: str
    source: str = Field(description="The watched source: a file, folder, camera number or address.")
    detector: str
    start: Time | None = Field(description="Time of the first frame in the location's time zone; null without a frame.")
    end: Time | None = Field(description="Time of the last frame; null without a frame.")
    frames: Count
    dropped: Count = Field(description="Frames of a live source that came faster than they could be read.")
    damaged: Count = Field(description="Frames that could not be decoded completely and were left out.")
    frozen: Count = Field(description="Frames whose picture no longer changed; nobody is judged in them.")
    unfit: dict[str, Count] = Field(description="Frames in which faces are likely to be missed, by reason.")
    reconnects: Count = Field(description="Reconnections to a live source.")
    cuts: Count = Field(description="Changes of scene, which end all face tracks.")
    still_again: Count = Field(
        description=("Tracks of still faces (posters) beyond the first per place and day, which counts as rejected.")
    )
    people_seen: Count = Field(description="All face tracks.")
    people: Count = Field(description="Face tracks that were judged; the shares are shares of them.")
    lifted: Count = Field(
        description="Face tracks whose faces were so faint that their contrast was at least doubled first."
    )
    rejected: dict[str, Count] = Field(description="Face tracks that were not judged, by reason.")
    windows: Count = Field(description="Windows written into the store.")
    complete: bool = Field(description="True if the source came to its end; false if the watch was stopped.")
    happy_share_raw: Annotated[Percent, rounded(2)] | None = Field(
        description="Percent of people whose most probable expression is happy; null without people."
    )
    happy_share: PeopleShareShape | None = Field(
        description=("Happy share of all people of a folder or recording; null for a live source, and without people.")
    )


class ArchivedFileShape(Shape):
    """The outcome of a recording."""

    path: str = Field(description="The whole path of the file.")
    location: str = Field(description="Empty if no source names it.")
    camera: str
    state: Literal["stored", "there", "failed"] = Field(
        description="Its windows are stored now, were there before, or it was set aside."
    )
    start: Time | None = Field(description="Time of its first frame, in UTC; null if it could not be read.")
    windows: Count = Field(description="Windows stored now, as are the people in them.")
    people_seen: Count = Field(description="All face tracks.")
    people: Count = Field(description="Face tracks that were judged.")
    error: str | None = Field(description="The reason why it was set aside.")


class ArchiveShape(Shape):
    """The outcome of the recordings of an archive."""

    files: list[ArchivedFileShape] = Field(description="By path.")


SHAPES = {
    "archive": ArchiveShape,
    "classify-output": ClassifiedShape,
    "classify-share": ClassifyShareShape,
    "watch": WatchShape,
}
LINES = {"classify": ImageShape}
