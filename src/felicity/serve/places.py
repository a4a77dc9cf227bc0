"""Routes about the server, its schemas, and its places."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from felicity import api
from felicity.schemas import envelope
from felicity.serve.cache import Body
from felicity.serve.problems import Problem
from felicity.serve.queries import NoQuery
from felicity.serve.routes import answered
from felicity.serve.sight import Everything

router = APIRouter(tags=["places"])
Nothing = Annotated[NoQuery, Query()]


@router.get("/healthz", **answered("health", scope=None))
def healthz(query: Nothing) -> Response:
    """Return that the server runs."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@router.get("/readyz", **answered("health", scope=None))
def readyz(request: Request, query: Nothing) -> Response:
    """Return that the store can be read."""
    api.list_locations(store=request.app.state.store)
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@router.get("/api/v1/cameras", **answered("cameras-status", scope="admin", more=("not-enabled",)))
def cameras(request: Request, query: Nothing) -> Response:
    """Return the state of the cameras, for administrators."""
    file = request.app.state.settings.cameras
    if file is None:
        raise Problem("not-enabled", "this server knows no cameras; its operator names them with --cameras")
    return JSONResponse(
        envelope.document("cameras-status", api.cameras_status(file)), headers={"Cache-Control": "no-store"}
    )


@router.get("/api/v1/schemas", **answered(None, "application/json", scope=None))
def schemas(request: Request, query: Nothing) -> Response:
    """Return the JSON Schema of every answer, by name."""
    shapes = {name: envelope.json_schema(name) for name in envelope.names()}
    return Body(json.dumps(shapes).encode(), "application/json", seconds=3600, public=True).response(request)


@router.get("/api/v1/locations", **answered(None, "application/geo+json"))
def locations(request: Request, query: Nothing) -> Response:
    """Return the locations as GeoJSON (RFC 7946); a location without a known place has no geometry."""
    sight: Everything = request.state.sight
    listed = envelope.document("locations-list", sight.locations())["data"]
    features: list[dict[str, Any]] = [
        {"type": "Feature", "geometry": place.pop("geometry"), "properties": place} for place in listed
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, allow_nan=False)
    body = Body(text.encode(), "application/geo+json", seconds=sight.seconds, public=sight.shared)
    return body.response(request)
