"""The application: routes, access and guard around one open store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from felicity import __version__, api
from felicity.errors import FelicityError
from felicity.serve import (
    classify,
    elsewhere,
    entering,
    events,
    figures,
    languages,
    own_files,
    pages,
    places,
    problem_pages,
    problems,
    push,
    tryit,
    wall,
)
from felicity.serve.access import Access
from felicity.serve.cache import Kept
from felicity.serve.events import Feeds
from felicity.serve.guard import Guard
from felicity.serve.openapi import describe
from felicity.serve.problems import Problem
from felicity.serve.proxy import Proxy

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.serve.settings import Settings

PROBLEMS = (Problem, RequestValidationError, HTTPException, FelicityError)


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer programs with a document, and people who asked for a page with a page."""
    problem = problems.of_exception(error, request.app.state.log)
    return answer_with(request, problem)


def answer_with(request: Request, problem: Problem) -> Response:
    """Return a problem as a page for people, and as a document for programs."""
    return problem_pages.problem_page(request, problem) if languages.is_for_people(request) else problem.response()


def make_app(store: StoreLike, settings: Settings, log: Callable[[str], None] = lambda text: None) -> FastAPI:
    """Return the application that answers from ``store``, which stays open as long as it does.

    ``log`` receives each failure, in one line without a secret.
    """
    app = FastAPI(title="Felicity", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.store, app.state.settings, app.state.log = store, settings, log
    app.state.access, app.state.kept = Access(store, settings), Kept()
    app.state.shelf = tryit.Shelf(log)
    app.state.feeds, app.state.pushing = Feeds(store), set()
    app.state.reader = api.open_reader() if settings.classify else None
    for kind in PROBLEMS:
        app.add_exception_handler(kind, answer_problem)
    for module in (
        places,
        figures,
        push,
        classify,
        events,
        pages,
        tryit,
        wall,
        elsewhere,
        languages,
        own_files,
        entering,
    ):
        app.include_router(module.router)

    app.state.describe = lambda: describe(app)

    @app.get("/api/v1/openapi.json", include_in_schema=False)
    def openapi(request: Request) -> JSONResponse:
        return JSONResponse(describe(app))

    app.add_middleware(Guard, settings=settings, log=log, answer=answer_with)
    app.add_middleware(Proxy, settings=settings)
    app.add_middleware(languages.Speaking)
    return app
