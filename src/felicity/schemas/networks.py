"""Answers about networks."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.shape import Count, Shape


class LayerShape(Shape):
    """A layer of a network."""

    name: str
    kind: str
    output: list[int] = Field(description="Shape of its output, without the batch.")
    parameters: Count
    multiply_adds: Count = Field(description="Multiply-adds per face.")
    inputs: list[str] = Field(description="Names of the layers whose outputs it reads.")


class NetworkShape(Shape):
    """A network in the list."""

    name: str
    about: str
    parameters: Count | None = Field(description="Null if the network cannot be built with these options.")
    multiply_adds: Count | None = Field(description="Per face; null if the network cannot be built with these options.")
    error: str | None = Field(description="The reason why the network cannot be built with these options.")


class DescriptionShape(Shape):
    """A network with its layers."""

    name: str
    about: str
    parameters: Count = Field(description="All parameters, including moving statistics.")
    multiply_adds: Count = Field(description="Multiply-adds of convolutions and dense layers, per face.")
    layers: list[LayerShape] = Field(description="Layers in order of computation.")


SHAPES = {"models-list": list[NetworkShape], "models-show": DescriptionShape}
