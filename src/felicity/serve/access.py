"""Access to the server: tokens with scopes, users with roles, or anybody on this machine where that is allowed."""

from __future__ import annotations

import hmac
import math
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from felicity import api
from felicity.api import tokens, users
from felicity.errors import StoreError
from felicity.serve import forms
from felicity.serve.known import Known
from felicity.serve.limits import Limiter
from felicity.serve.lockout import Lockout
from felicity.serve.problems import Problem
from felicity.serve.proxy import visitor
from felicity.serve.sight import Everything, Published
from felicity.serve.versions import Versions
from felicity.style.language import say

if TYPE_CHECKING:
    from starlette.requests import Request

    from felicity.api.selection import StoreLike
    from felicity.serve.settings import Settings

WRONG_A_MINUTE = 20
"""Number of invalid tokens a minute after which an address has to wait."""
PASSWORDS_AT_ONCE = 2
"""Passwords that are checked in parallel, because each takes 64 MB and a core."""


@dataclass(frozen=True)
class Caller:
    """The caller of a request: a ``name`` for the audit log, and the scopes. ``admin`` allows everything.

    ``released``: sees releases alone. ``shown``: the name on pages, empty for nobody in particular. ``leaves``: whether
    pages offer to sign out.
    """

    name: str
    scopes: frozenset[str]
    released: bool = False
    shown: str = ""
    leaves: bool = False

    def may(self, scope: str) -> bool:
        """Return whether the caller may do what needs ``scope``; ``push:*`` is every location."""
        wanted = {scope, "admin"} | ({"push:*"} if scope.startswith("push:") else set())
        return bool(wanted & self.scopes)

    def may_push(self) -> bool:
        """Return whether there is a location whose windows the caller may push."""
        return any(scope == "admin" or scope.startswith("push:") for scope in self.scopes)


ANYBODY = Caller("anybody on this machine", frozenset({"read"}))
PUBLIC = Caller("the public", frozenset({"read"}), released=True)
"""The public, which reads releases alone."""
STARTER = Caller("who started the server", frozenset({"admin"}), shown="Felicity", leaves=True)


class Access:
    """Identifies callers by their requests. ``key``: the token of the server's owner, never stored."""

    def __init__(self, store: StoreLike, settings: Settings) -> None:
        self.store, self.settings = store, settings
        self.key = secrets.token_urlsafe(32)
        self.versions = Versions(store)
        self.lockout = Lockout()
        self._limiter, self._wrong = Limiter(settings.rate), Limiter(WRONG_A_MINUTE)
        self._lock, self._checking = threading.Lock(), threading.Semaphore(PASSWORDS_AT_ONCE)
        self._tokens = Known(lambda token: api.find_token(token, store=store))
        self._sessions = Known(lambda session: users.find_session(session, store=store))

    def check(self, request: Request, scope: str) -> Caller:
        """Return the caller. Raises Problem for an unknown one, and for a caller without ``scope``."""
        caller = self.caller(request)
        settings = self.settings
        if caller.released:
            shared = caller is PUBLIC
            sight: Everything = Published(self.store, settings.k, settings.fresh_seconds, self.versions, shared=shared)
        else:
            sight = Everything(self.store, settings.k, settings.fresh_seconds, self.versions)
        request.state.sight = sight
        if not (caller.may_push() if scope == "push" else caller.may(scope)):
            raise Problem("not-allowed", say("this needs the scope {scope}", scope=scope))
        request.state.caller = caller
        return caller

    def caller(self, request: Request) -> Caller:
        """Return the caller. Raises Problem; StoreError."""
        if (token := bearer(request)) is not None:
            return self.holder(token, address_of(request))
        if request.method in ("GET", "HEAD"):  # what a browser sends by itself changes nothing
            if (found := visitor(request, self.settings)) is not None:
                self._take(f"visitor {found.name}")
                return _user(f"proxy's user {found.name}", found.name, found.role)
            if (user := self._signed_in(request)) is not None:
                return user
            if (token := request.cookies.get(forms.TOKEN)) is not None:
                return self.holder(token, address_of(request), leaves=True)
        if self.settings.open_access:
            return ANYBODY
        if self.settings.public:
            return PUBLIC
        raise Problem("token-missing", say("sign in, or send a token: Authorization: Bearer TOKEN"))

    def holder(self, token: str, address: str, *, leaves: bool = False) -> Caller:
        """Return the owner of a token. Raises Problem for an invalid one, and after too many; StoreError."""
        key = tokens.digest(token)
        if hmac.compare_digest(key, tokens.digest(self.key)):
            return STARTER
        found = self._tokens.get(token, key)
        if found is None or not found.is_valid(datetime.now(UTC)):
            with self._lock:
                wait = self._wrong.wait(address)
            _let_wait(wait)
            raise Problem("token-refused")
        self._take(str(found.id))
        with suppress(StoreError):  # the next request records it
            self._tokens.say_used(key, lambda: api.token_used(found.id, store=self.store))
        return Caller(f"token {found.id} {found.name}", frozenset(found.scopes), shown=found.name, leaves=leaves)

    def sign_in(self, name: str, password: str, address: str) -> str:
        """Return the id of a new session. Raises Problem for a wrong name or password, and while there is a wait."""
        account = name.strip().casefold()
        with self._lock:
            wait = self.lockout.begin(account, address)
        _let_wait(wait)
        with self._checking:
            made = users.sign_in(name, password, store=self.store)
        if made is None:
            if self.lockout.is_waiting(account, address):
                users.sign_in_refused(name, store=self.store)
            raise Problem("sign-in-refused")
        self.lockout.succeed(account, address)
        return made.id

    def sign_out(self, session: str) -> None:
        """End a session. Raises StoreError."""
        users.sign_out(session, store=self.store)
        self._sessions.forget(tokens.digest(session))

    def _signed_in(self, request: Request) -> Caller | None:
        session = request.cookies.get(forms.SESSION)
        if session is None:
            return None
        key = tokens.digest(session)
        found = self._sessions.get(session, key)
        if found is None or datetime.now(UTC) >= found.expires:
            self._take(f"address {address_of(request)}")
            return None
        self._take(f"user {found.user.id}")
        with suppress(StoreError):  # the next request records it
            self._sessions.say_used(key, lambda: users.session_used(session, store=self.store))
        return _user(f"account {found.user.name}", found.user.name, found.user.role, leaves=True)

    def _take(self, who: str) -> None:
        with self._lock:
            wait = self._limiter.wait(who)
        _let_wait(wait)


def address_of(request: Request) -> str:
    """Return the address that a request comes from."""
    return request.client.host if request.client else "none"


def bearer(request: Request) -> str | None:
    """Return the token in the header of a request, None without. Raises Problem for a header of another kind."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    if kind:
        raise Problem("token-refused", say("Authorization: Bearer TOKEN expected"))
    return None


def _user(name: str, shown: str, role: str, *, leaves: bool = False) -> Caller:
    return Caller(name, frozenset(users.ROLES[role]), released=role == "viewer", shown=shown, leaves=leaves)


def _let_wait(seconds: float) -> None:
    if seconds:
        raise Problem("too-many", headers={"Retry-After": str(math.ceil(seconds))})
