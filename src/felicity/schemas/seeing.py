"""Answers about people who were seen: photographs, and a source watched."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from felicity.schemas.shape import Count, Percent, Shape, Share, Time, rounded

Box = tuple[float, float, float, float]


class FaceShape(Shape):
    """A face in a photograph."""

    box_xyxy: Annotated[Box, Field(description="Left, top, right, bottom, in pixels.")] | None = Field(
        description="Null where the whole image is the face (--crop)."
    )
    detection_score: Annotated[float, rounded(4)] = Field(
        description="How sure the detector is, on its own scale (yunet: 0..1); 1 with --crop."
    )
    expression: str = Field(description="The most probable class: an expression, or what the bundle merges them into.")
    probabilities: dict[str, Annotated[Share, rounded(6)]] = Field(
        description="Probability of each class of the bundle, the eight expressions if it has no others, 0..1; "
        "they add up to 1."
    )
    happy: Annotated[Share, rounded(6)] | None = Field(
        description="Probability of happy, 0..1; null where no class of the bundle is happy alone."
    )


class ImageShape(Shape):
    """A photograph: one line of ``felicity classify --json``."""

    image: str = Field(description="Path as given.")
    faces: list[FaceShape] = Field(description="The best detection first.")
    error: str | None = Field(description="Why it cannot be read; then there are no faces.")


class PeopleShareShape(Shape):
    """Happy share of people whose answers are all at hand, in percent."""

    people: Annotated[int, Field(ge=1)]
    counted: Annotated[Percent, rounded(4)] = Field(description="Share of those whose most probable expression it is.")
    adjusted: Annotated[Percent, rounded(4)] = Field(description="Corrected by the classifier's known errors.")
    low: Annotated[Percent, rounded(4)] = Field(description="Lower end of the 95 % interval of adjusted.")
    high: Annotated[Percent, rounded(4)] = Field(description="Upper end of the 95 % interval of adjusted.")
    emq: Annotated[Percent, rounded(4)] = Field(description="Corrected by expectation maximisation instead.")


class ClassifyShareShape(Shape):
    """Photographs with the happy share of all faces in them."""

    images: list[ImageShape] = Field(description="In the order given.")
    happy_share: PeopleShareShape | None = Field(description="Null without a face.")


class WatchShape(Shape):
    """What a watch saw; sums only."""

    location: str
    camera: str
    source: str = Field(description="What was watched: a file, folder, camera number or address.")
    detector: str
    start: Time | None = Field(description="Time of the first frame on the location's clock; null without a frame.")
    end: Time | None = Field(description="Time of the last frame; null without a frame.")
    frames: Count
    dropped: Count = Field(description="Frames that came from a live source faster than they were taken.")
    reconnects: Count = Field(description="How often a live source came back.")
    people_seen: Count = Field(description="All tracks.")
    people: Count = Field(description="Tracks that were judged; they carry the shares.")
    rejected: dict[str, Count] = Field(description="Tracks that were not judged, by reason.")
    windows: Count = Field(description="Windows written into the store.")
    complete: bool = Field(description="Whether the source came to its end; false if it was stopped.")
    happy_share_raw: Annotated[Percent, rounded(2)] | None = Field(
        description="Percent of people whose most probable expression is happy; null without people."
    )
    happy_share: PeopleShareShape | None = Field(
        description="Of all people of a folder or recording; null for a live source, and without people."
    )


SHAPES = {"classify-share": ClassifyShareShape, "watch": WatchShape}
LINES = {"classify": ImageShape}
