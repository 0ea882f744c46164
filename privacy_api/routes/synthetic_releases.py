"""/v1/synthetic/releases: data with nobody in it, for anybody to read and download."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.gate import Gate
from privacy_api.routes.access import ServicesDep
from privacy_api.routes.provenance import mark
from privacy_api.service.synthetic_releases import SyntheticRelease, find_release, find_table, has_csv, releases
from privacy_api.wire import synthetic_out as out


def synthetic(request: Request) -> None:
    """Whatever is told here says of itself that nobody is in it."""
    mark(request, True)


def found(release: str, services: ServicesDep) -> SyntheticRelease:
    return find_release(release, services)


ReleaseDep = Annotated[SyntheticRelease, Depends(found)]
router = APIRouter(prefix=out.ADDRESS, tags=["Synthetic data"], dependencies=[Depends(synthetic)])
CHECK_AGAIN = {"Cache-Control": "no-cache"}
"""A copy may be kept, and is asked about before it is shown: a release can be taken back."""
PARQUET, CSV = "application/vnd.apache.parquet", "text/csv; charset=utf-8"
ACCEPTED = f"Accepted as format: parquet ({PARQUET}), csv (text/csv)."
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)


def _example(value: object) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": value}}}}


@router.get("", summary="The synthetic releases, newest first", responses=_example({"results": [out.EXAMPLE]}))
def listed(services: ServicesDep) -> dict[str, Any]:
    return {"results": [out.release(each) for each in releases(services)]}


@router.get(
    "/{release}",
    summary="One of them, with its manifest",
    responses=_example(out.EXAMPLE | {"manifest": out.EXAMPLE_MANIFEST}),
)
def one(release: ReleaseDep) -> dict[str, Any]:
    return out.whole(release)


@router.get("/{release}/report", summary="How like the reference it is: a page that is whole in itself")
def report(request: Request, release: ReleaseDep) -> Response:
    page = release.shelved.page
    headers = _vouched(hashlib.sha256(page).hexdigest()) | {"Content-Security-Policy": policy_for(page)}
    if _has(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/{release}/download/{table}", summary="A table as a file: Parquet, or CSV")
async def download(request: Request, release: ReleaseDep, table: str) -> Response:
    return await _file(request, release, table)


@router.head("/{release}/download/{table}", include_in_schema=False)
async def about_download(request: Request, release: ReleaseDep, table: str) -> Response:
    """Programs that read parts of a Parquet file ask for its size first."""
    return await _file(request, release, table)


async def _file(request: Request, release: SyntheticRelease, table: str) -> Response:
    chosen, as_csv = find_table(release, table), _wants_csv(request)
    file = f"{release.id}-{chosen.name}.{'csv' if as_csv else 'parquet'}"
    named = {"Content-Disposition": f'attachment; filename="{file}"'}
    headers = CHECK_AGAIN | named | {"Vary": "Accept", "Release-Id": release.id}
    if not as_csv:
        headers |= _vouched(chosen.sha256)
    else:
        headers["ETag"] = f'"{chosen.sha256}-csv"'
    if _has(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if not as_csv:
        return FileResponse(chosen.parquet, media_type=PARQUET, headers=headers)
    if not has_csv(chosen):
        raise ApiError(ErrorCode.NOT_ACCEPTABLE, detail="The table is too large for CSV: take it as parquet.")
    gate: Gate = request.app.state.csv_gate
    shelf = request.app.state.services.shelf
    return FileResponse(await gate.run(lambda: shelf.csv(chosen)), media_type=CSV, headers=headers)


def policy_for(page: bytes) -> str:
    """Its own style and nothing else: no script, nothing fetched or sent, in no frame."""
    styles = [f"'sha256-{_base64(hashlib.sha256(style).digest())}'" for style in _STYLE.findall(page)] or ["'none'"]
    return (
        f"default-src 'none'; style-src {' '.join(styles)}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox"
    )


def _vouched(sha256: str) -> dict[str, str]:
    """By the digest of the very bytes (RFC 9530)."""
    return CHECK_AGAIN | {"ETag": f'"{sha256}"', "Repr-Digest": f"sha-256=:{_base64(bytes.fromhex(sha256))}:"}


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _has(request: Request, etag: str) -> bool:
    told = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    return bool(told & {etag, "*"})


def _wants_csv(request: Request) -> bool:
    """`?format=` first; then the first type of Accept that there is."""
    asked = request.query_params.get("format")
    if asked is not None:
        known = {"parquet": False, "csv": True}
    else:
        known = {PARQUET: False, "text/csv": True, "*/*": False, "application/*": False, "text/*": True, "": False}
    wanted = [asked] if asked is not None else _accepted(request)
    for each in wanted:
        if each in known:
            return known[each]
    raise ApiError(ErrorCode.NOT_ACCEPTABLE, detail=ACCEPTED)


def _accepted(request: Request) -> list[str]:
    return [part.split(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")]
