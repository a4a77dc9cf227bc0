"""Answers about tokens, users, and the audit log."""

from __future__ import annotations

from pydantic import AliasPath, Field

from felicity.schemas.shape import JsonObject, Shape, Time


class TokenShape(Shape):
    """A token in the store."""

    id: int
    name: str
    prefix: str = Field(description="The first characters of the token, to recognise it by.")
    scopes: list[str] = Field(description="read, classify, admin, push:LOCATION, push:*.")
    created: Time
    expires: Time | None = Field(description="Null for never.")
    used: Time | None = Field(description="Last use, to the minute; null for never.")
    revoked: Time | None = Field(description="Null if it was not revoked.")


class NewTokenShape(Shape):
    """A new token."""

    token: str = Field(description="The token itself, which is shown only once.")
    id: int = Field(validation_alias=AliasPath("record", "id"))
    name: str = Field(validation_alias=AliasPath("record", "name"))
    scopes: list[str] = Field(validation_alias=AliasPath("record", "scopes"))
    expires: Time | None = Field(validation_alias=AliasPath("record", "expires"), description="Null for never.")


class UserShape(Shape):
    """A user of a server."""

    id: int
    name: str
    role: str = Field(description="viewer, analyst, operator.")
    created: Time
    used: Time | None = Field(description="Last sign-in; null for never.")


class AuditShape(Shape):
    """An entry of the audit log."""

    id: int
    time: Time
    actor: str = Field(
        description="A user of the machine, an account of the server, or a token by its name and number."
    )
    action: str
    subject: str = Field(description="The object of the action.")
    detail: JsonObject = Field(description="Names and numbers that describe the action.")


SHAPES = {
    "token-add": NewTokenShape,
    "token-list": list[TokenShape],
    "token-revoke": TokenShape,
    "user-add": UserShape,
    "user-list": list[UserShape],
    "user-remove": UserShape,
    "user-password": UserShape,
    "audit": list[AuditShape],
}
