"""The API's reference page, with its script and style served from here: no other host is ever asked."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Response

router = APIRouter(include_in_schema=False)

_ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_START = """window.addEventListener("load", () => SwaggerUIBundle({url: "/openapi.json", dom_id: "#reference"}));"""
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Privacy Controlling API: reference</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><main id="reference"></main>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
"""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)


@router.api_route("/docs", methods=["GET", "HEAD"])
def page() -> Response:
    return Response(
        _PAGE, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY}
    )


@router.get("/docs/start.js")
def start() -> Response:
    return Response(_START, media_type="text/javascript")


@router.get("/docs/{asset}")
def asset(asset: str) -> Response:
    if asset not in _ASSETS:
        return Response(status_code=404)
    content = files("fastapi_swagger").joinpath("resources", asset).read_bytes()
    return Response(content, media_type=_ASSETS[asset])
