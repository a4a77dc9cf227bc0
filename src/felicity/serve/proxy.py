"""A proxy in front of the server: who the visitor is, if and only if a trusted address says so."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from felicity.api.users import ROLES
from felicity.serve.problems import Problem
from felicity.style.language import say

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from felicity.serve.settings import Settings

TRUSTED = "felicity.trusted"
"""Key of a request's scope: whether a trusted proxy sent it."""


@dataclass(frozen=True)
class Visitor:
    """Somebody whom the proxy has signed in."""

    name: str
    role: str


class Proxy:
    """An ASGI application around another: it takes the visitor's address and protocol from trusted proxies alone."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.networks = app, settings.trusted_networks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with the visitor in place of the proxy."""
        if scope["type"] == "http" and self.networks:
            client = scope.get("client")
            scope = {**scope, TRUSTED: False}
            if client is not None and self._trusts(client[0]):
                scope[TRUSTED] = True
                headers = dict(scope["headers"])
                forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
                scope["client"] = (self._visitor(forwarded, client[0]), 0)
                if headers.get(b"x-forwarded-proto", b"").strip().lower() in (b"http", b"https"):
                    scope["scheme"] = headers[b"x-forwarded-proto"].strip().lower().decode()
        await self.app(scope, receive, send)

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)

    def _visitor(self, forwarded: str, proxy: str) -> str:
        """Return the last address that no trusted proxy has: whatever stands before it, the visitor wrote."""
        found = proxy
        for part in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            try:
                ipaddress.ip_address(part)
            except ValueError:
                return found
            found = part
            if not self._trusts(part):
                return found
        return found


def visitor(request: Request, settings: Settings) -> Visitor | None:
    """Return whom a trusted proxy has signed in; None for nobody.

    Raises Problem if another address names a user or a role, and for a role that is none.
    """
    if settings.user_header is None:
        return None
    named = [header for header in (settings.user_header, settings.role_header) if header in request.headers]
    if named and not request.scope.get(TRUSTED):
        raise Problem("not-allowed", say("{header}: only the trusted proxy may say who asks", header=named[0]))
    name = request.headers.get(settings.user_header, "").strip()
    if not name:
        return None
    if len(name) > 100 or not name.isprintable():
        text = "{header}: a name of at most 100 characters on one line expected"
        raise Problem("not-allowed", say(text, header=settings.user_header))
    given = request.headers.get(settings.role_header)
    if given is None:
        return Visitor(name, "viewer")
    held = {part.strip().lower() for part in given.split(",")}
    role = next((role for role in reversed(ROLES) if role in held), None)
    if role is None:
        text = "{header}: one of {roles} expected"
        raise Problem("not-allowed", say(text, header=settings.role_header, roles=", ".join(ROLES)))
    return Visitor(name, role)
