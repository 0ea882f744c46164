"""/static: the files behind the pages. Under their own digest they may be kept for a year."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.web.assets import Assets

router = APIRouter(include_in_schema=False)
FOR_GOOD = "public, max-age=31536000, immutable"


@router.api_route("/static/{digest}/{name}", methods=["GET", "HEAD"])
async def static(digest: str, name: str, request: Request) -> Response:
    """A page of another version, still open or from another instance, gets the file of this one, and keeps it not."""
    assets: Assets = request.app.state.assets
    if name not in assets.files:
        raise ApiError(ErrorCode.NOT_FOUND)
    found, kept = assets.files[name], FOR_GOOD if digest == assets.digest else "no-store"
    return Response(found.body, media_type=found.media_type, headers={"Cache-Control": kept})
