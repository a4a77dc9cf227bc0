"""Answers of servers alone: verdicts on pushed windows, and the faces of a picture."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from felicity.schemas.seeing import FaceShape
from felicity.schemas.shape import Count, Shape


class VerdictShape(Shape):
    """The verdict on one window of a batch."""

    index: Count = Field(description="Place in the batch, from 0.")
    verdict: Literal["stored", "duplicate", "refused"]
    code: str | None = Field(description="The reason of a refusal; docs/serve.md lists the codes.")
    reason: str | None = Field(description="The reason as a sentence.")


class PushedShape(Shape):
    """The verdicts on a batch of windows."""

    stored: Count = Field(description="Windows that are in the store now, including those that were there before.")
    duplicates: Count = Field(description="Windows that the batch holds twice.")
    refused: Count = Field(description="Windows that are not in the store.")
    verdicts: list[VerdictShape] = Field(description="The verdict on each window, in the order of the batch.")


class PictureShape(Shape):
    """The faces of a sent picture, which is not kept."""

    faces: list[FaceShape] = Field(description="Faces, the best detection first.")


SHAPES = {"serve-windows": PushedShape, "serve-picture": PictureShape}
