"""Classification over HTTP: a picture in, its faces out; nothing of it is kept."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from felicity.api import answers
from felicity.serve import body
from felicity.serve.problems import Problem
from felicity.serve.queries import NoQuery
from felicity.serve.routes import answered

router = APIRouter(prefix="/api/v1", tags=["pictures"])
TAKES: dict[str, Any] = {"image/*": {"type": "string", "format": "binary"}}
MORE = (*body.CODES, "not-enabled")


@router.post("/classify", **answered("serve-picture", scope="classify", more=MORE, takes=TAKES))
async def classify(request: Request, query: Annotated[NoQuery, Query()]) -> Response:
    """Find the faces of a picture and their expressions. Neither picture nor answer is kept or logged."""
    reader = request.app.state.reader
    if reader is None:
        raise Problem("not-enabled", "this server takes no pictures; its operator starts it with --classify")
    content = await body.read(request, "image/*")
    faces = await run_in_threadpool(reader.read, content)
    answer = answers.Answer("serve-picture", {"faces": answers.faces_answer(faces)})
    text = json.dumps(answer.document(), ensure_ascii=False, allow_nan=False)
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})
