"""Take windows from other machines: read a batch whole, judge each window, write all accepted ones at once."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from felicity import api
from felicity.api import answers
from felicity.api.pushing import MOST, Pushed, push_windows
from felicity.parsing import read_json
from felicity.serve import body
from felicity.serve.access import Caller
from felicity.serve.problems import Problem
from felicity.serve.queries import NoQuery
from felicity.serve.routes import answered

router = APIRouter(prefix="/api/v1", tags=["windows"])
BATCH: dict[str, Any] = {
    "type": "object",
    "required": ["windows"],
    "additionalProperties": False,
    "properties": {
        "windows": {
            "type": "array",
            "maxItems": MOST,
            "description": "Windows in their wire format, each judged by itself.",
            "items": {"type": "object"},
        },
        "ended": {"type": "boolean", "default": False, "description": "No more windows of these runs come."},
    },
}


@router.post("/windows", **answered("serve-windows", scope="push", more=body.CODES, takes={"application/json": BATCH}))
async def windows(request: Request, query: Annotated[NoQuery, Query()]) -> Response:
    """Accept windows. The same batch sent again changes nothing, so send it again if no answer came."""
    given, ended = _batch(await body.read(request, "application/json"))
    caller: Caller = request.state.caller
    pushed = await run_in_threadpool(_push, request, given, ended, caller)
    answer = answers.Answer("serve-windows", pushed, pushed.notes)
    text = json.dumps(answer.document(), ensure_ascii=False, allow_nan=False)
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})


def _batch(content: bytes) -> tuple[list[Any], bool]:
    try:
        value = read_json(content)
    except (ValueError, UnicodeDecodeError) as error:
        raise Problem("malformed", f"the body is no JSON: {error}") from None
    if not isinstance(value, dict) or not {"windows"} <= set(value) <= {"windows", "ended"}:
        raise Problem("invalid", "an object with the key windows, and perhaps ended, expected")
    given, ended = value["windows"], value.get("ended", False)
    if not isinstance(given, list) or not isinstance(ended, bool):
        raise Problem("invalid", "windows is a list, and ended true or false")
    if len(given) > MOST:
        raise Problem("too-large", f"a batch has at most {MOST:,} windows, not {len(given):,}; send several")
    return given, ended


def _push(request: Request, given: list[Any], ended: bool, caller: Caller) -> Pushed:
    store = request.app.state.store
    pushed = push_windows(given, may_push=lambda name: caller.may(f"push:{name}"), ended=ended, store=store)
    told: set[tuple[str, int]] = request.app.state.pushing
    for run in pushed.runs:  # once for each run, not for each of its minutes
        if (caller.name, run.id) not in told:
            told.add((caller.name, run.id))
            api.record(store, "push", run.location, {"run": run.id, "camera": run.camera}, actor=caller.name)
    return pushed
