"""Problems as pages for people, and the page to sign in, which they get where nobody is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request, Response

from felicity.serve import forms
from felicity.serve.languages import language_of
from felicity.serve.pages import page
from felicity.style.language import say, speaking

if TYPE_CHECKING:
    from felicity.serve.problems import Problem


def problem_page(request: Request, problem: Problem) -> Response:
    """Answer people with a problem; if nobody is known, with the form to sign in."""
    if problem.status == 401:
        again = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return sign_in_page(request, problem, again if request.method == "GET" else "/")
    with speaking(language_of(request)):
        body = page(request, "problem", say(problem.title), problem=problem, here_again="/")
    headers = {"Cache-Control": "no-store", "Content-Language": language_of(request)} | problem.headers
    return Response(body.content, problem.status, headers, body.media_type)


def sign_in_page(request: Request, problem: Problem | None, to: str) -> Response:
    """Show the form to sign in, which leads to the page ``to``; with the problem of the try before."""
    to = to if not to.startswith(("/enter", "/sign-in", "/api/")) else "/"
    secret, mark = forms.begin(request)
    with speaking(language_of(request)):
        body = page(request, "sign_in", say("Sign in"), problem=problem, to=to, mark=mark, here_again="/")
    headers = {"Cache-Control": "no-store", "Content-Language": language_of(request)}
    answer = Response(body.content, 200, headers, body.media_type)
    if problem is not None:
        answer.status_code = problem.status
        answer.headers.update(problem.headers)
    forms.keep(request, answer, secret)
    return answer
