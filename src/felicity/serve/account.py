"""The part of a page that says who reads it, put into a page that is kept for all who see the same figures."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from markupsafe import Markup

from felicity.serve import forms
from felicity.style.language import say

if TYPE_CHECKING:
    from starlette.requests import Request

    from felicity.serve.access import Caller

MARK = Markup("<!--account-->")
"""The place of the part in a page for somebody who has a name."""


def place(request: Request, here_again: str) -> Markup:
    """Return what a kept page holds in the part's place: the mark, a link to sign in, or nothing."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is not None and caller.shown:
        return MARK
    if caller is None or request.app.state.settings.open_access:
        return Markup()
    address = f"/sign-in?{urlencode({'to': here_again})}"
    return Markup('<a class="account" href="{}">{}</a>').format(address, say("Sign in"))


def fill(request: Request, page: bytes) -> bytes:
    """Return a page with the reader's name, and a button that signs out, in the place of the mark."""
    caller: Caller = request.state.caller
    if not caller.leaves:
        part = Markup('<span class="account">{}</span>').format(caller.shown)
    else:
        part = Markup(
            '<form class="account" method="post" action="/leave"><input type="hidden" name="{}" value="{}">'
            "<span>{}</span> <button>{}</button></form>"
        ).format(forms.FIELD, forms.mark(forms.secret_of(request)), caller.shown, say("Sign out"))
    return page.replace(MARK.encode(), part.encode("utf-8", "replace"), 1)
