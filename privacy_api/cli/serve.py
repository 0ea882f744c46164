"""Running the server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.common import HomeOption, refusals, settings_for

if TYPE_CHECKING:
    from fastapi import FastAPI

    from privacy_api.settings import Settings


def serve(
    home: HomeOption = None,
    mode: Annotated[str | None, typer.Option(help="demo or live.")] = None,
    host: Annotated[str | None, typer.Option()] = None,
    port: Annotated[int | None, typer.Option()] = None,
    workers: Annotated[int | None, typer.Option(help="Server processes.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM certificate.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM key.")] = None,
) -> None:
    """Serve the cuts of a home directory. Settings come from PRIVACY_API_… and these options."""
    with refusals():
        given = {"home": home, "mode": mode, "host": host, "port": port, "workers": workers}
        given |= {"tls_certificate": tls_certificate, "tls_key": tls_key}
        settings = settings_for(**given)  # type: ignore[arg-type]
        settings.check_transport()
        app = _app(settings, given)
        import uvicorn

        uvicorn.run(
            app,
            factory=isinstance(app, str),
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
            access_log=False,
            server_header=False,
            proxy_headers=settings.behind_tls_proxy,
            log_level="warning",
            timeout_keep_alive=30,
            limit_concurrency=None,
        )


def _app(settings: Settings, given: Mapping[str, object]) -> FastAPI | str:
    """One worker is this process. Several make their own apps, from the environment, once all was checked here: a
    refusal is told once, and not by every worker."""
    from privacy_api.bootstrap import make_app, open_services

    if settings.workers == 1:
        return make_app(settings)
    open_services(settings).close()
    os.environ.update({f"PRIVACY_API_{name.upper()}": str(value) for name, value in given.items() if value is not None})
    return "privacy_api.bootstrap:app_from_environment"


def openapi() -> None:
    """Print the OpenAPI document."""
    import json

    from privacy_api.app import document_only

    typer.echo(json.dumps(document_only(), indent=2))
