"""`privacy-api demo`: from nothing to a running service on synthetic pupils."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.common import fail, refusals, settings_for

if TYPE_CHECKING:
    from fastapi import FastAPI

    from privacy_api.bootstrap import Stores
    from privacy_api.settings import Settings

MARKER = "this-is-a-demonstration"
PROJECT, CUT, DATA_SET = "demo", "npd-synthetic", "npd-synthetic.census"
SIGNER = "console:demonstration"
AS_JSON = "-H 'Content-Type: application/json'"
QUESTION = {
    "measures": [{"statistic": "count"}],
    "groupBy": ["REG", "fsm_eligible"],
    "criteria": {"timePeriods": {"eq": {"period": "2023/2024", "code": "AY"}}},
}


def demo(
    directory: Annotated[Path | None, typer.Option("--dir", help="Where the demonstration lives.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print url, key, dataSet and web as one JSON line.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Start from nothing again.")] = False,
    pupils: Annotated[int, typer.Option(min=1_000, max=1_000_000)] = 50_000,
    port: Annotated[int, typer.Option(help="First port to try.")] = 8000,
) -> None:
    """Build a synthetic cut, make a project and a key, and serve on 127.0.0.1. Ctrl+C stops it."""
    with refusals():
        home = directory or _default_home()
        lock = _own(home)  # held while the demonstration runs
        if reset:
            _clear(home)
        settings = settings_for(home, mode="demo", development_sign_in=True)
        _build(settings, pupils)
        key = _new_key(settings)
        from privacy_api.bootstrap import make_app

        app = make_app(settings)
        listener = _listen(port)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        _run(app, listener, _as_json(url, key) if as_json else _for_people(url, key, home))
        lock.close()


def _default_home() -> Path:
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "privacy-api" / "demo"


def _own(home: Path) -> IO[str]:
    """A directory that is a demonstration's and nobody else's; anything else is left alone, above all a live home."""
    import fcntl

    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(home.iterdir()) and not (home / MARKER).is_file():
            fail(f"{home}: is not empty and not a demonstration's; choose another --dir")
        lock = (home / MARKER).open("w", encoding="utf-8")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fail(f"{home}: a demonstration is running there; stop it, or choose another --dir")
    except OSError as error:
        fail(f"{home}: cannot be used ({type(error).__name__})")
    return lock


def _clear(home: Path) -> None:
    """What a demonstration makes, and nothing else."""
    import shutil

    for name in ("cuts", "policies", "synthetic"):
        shutil.rmtree(home / name, ignore_errors=True)
    kinds = ("service.db*", "anchor.json*", "audit-anchor.json*")
    for path in (path for kind in kinds for path in home.glob(kind)):
        path.unlink()


def _build(settings: Settings, pupils: int) -> None:
    """The files' release and the cut, once; a second start finds the cut there, and is sure that all before it is done.
    Its policy too, should an earlier start have died in between."""
    from datasets.catalogue_toml import bundle, load_catalogue
    from datasets.ingest import ingest, list_cuts
    from datasets.npd import FOLDER
    from privacy_api.cli.cuts import bind
    from privacy_api.cli.progress import Bar
    from synthetic.demo import make_demo

    if CUT not in list_cuts(settings.cuts):
        with tempfile.TemporaryDirectory(dir=settings.home) as scratch, Bar() as bar:
            made = make_demo(Path(scratch) / "made", FOLDER, pupils, progress=bar.step)
            _put_out(settings, Path(scratch) / "made")
            text = bundle(made.catalogue)
            ingest(load_catalogue(text), text, made.sources, settings.cuts, bar)
    bind(settings.policies, CUT, None)


def _put_out(settings: Settings, folder: Path) -> None:
    """The files too, checked and signed as any release is, for whoever would rather have them."""
    from privacy_api.bootstrap import open_shelf, open_stores
    from privacy_api.service.synthetic_releases import AlreadySigned, put_out, sign
    from synthetic.fidelity.files import report_of, write
    from synthetic.release import digest, gates, tier_of

    write(report_of(folder), folder)
    if wrong := [sentence for gate in gates(folder) for sentence in gate.wrong]:
        fail("\n".join(wrong))
    stores, of = open_stores(settings), digest(folder)
    try:
        with suppress(AlreadySigned):  # by an earlier start that died: the same plan gives the same bytes
            sign(of, SIGNER, "The demonstration's own files: all four checks passed.", tier_of(folder), stores.audit)
        put_out(folder, of, SIGNER, stores.audit, open_shelf(settings.synthetic))
    finally:
        stores.close()


def _new_key(settings: Settings, cut: str = CUT) -> str:
    """A key for this run; those of earlier runs are revoked, since a key cannot be shown twice. It may ask for every
    variable: there is nobody to be sensitive about."""
    from datasets.catalogue_toml import load_catalogue
    from datasets.ingest import open_current
    from privacy_api.bootstrap import open_stores, terms_of
    from privacy_api.ports import Project
    from privacy_api.service.sandbox import grants_of

    stores = open_stores(settings)
    projects = stores.projects
    if projects.project(PROJECT) is None:
        grants = grants_of(load_catalogue(open_current(settings.cuts, cut).catalogue_text))
        _, policy = terms_of(settings, cut, stores)
        projects.create_project(Project(PROJECT, "Demonstration", policy.cut_cap, grants))
    for old in projects.issued_keys():
        if old.project == PROJECT and old.label == "demo" and old.revoked is None:
            projects.revoke_key(old.id)
    key = projects.create_key(PROJECT, "demo", settings.environment)[1]
    _invite_people(stores)
    stores.close()
    return key


def _invite_people(stores: Stores) -> None:
    """The made-up people have their accounts, and those who may ask belong to the project."""
    from privacy_api.governance.roles import Permission, permissions_of
    from privacy_api.service.sign_in import PEOPLE

    for person in PEOPLE:
        roles = person.roles or frozenset()
        account = stores.accounts.by_subject(person.issuer, person.subject) or stores.accounts.create(
            person.issuer, person.subject, person.name, person.email, roles
        )
        if Permission.ASK in permissions_of(account.roles):
            stores.accounts.join(account.id, PROJECT)


def _listen(first: int) -> socket.socket:
    """A socket on the first free port from `first`."""
    for port in [*range(first, min(first + 100, 65536)), 0]:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(128)  # another demonstration could bind the same port until somebody listens
        except OSError:
            listener.close()
        else:
            return listener
    raise OSError("no free port")


def _run(app: FastAPI, listener: socket.socket, message: str) -> None:
    import uvicorn

    class Announcing(uvicorn.Server):
        """Speaks once it answers, and not before."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            typer.echo(message)

    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    try:
        # Whether the interrupt that stopped it is raised again depends on what started it: a shell may have it ignored.
        with suppress(KeyboardInterrupt):
            Announcing(config).run(sockets=[listener])
        typer.echo("stopped", err=True)
    finally:
        app.state.services.close()


def _as_json(url: str, key: str) -> str:
    return json.dumps({"url": url, "key": key, "dataSet": DATA_SET, "web": url})


def _for_people(url: str, key: str, home: Path) -> str:
    question = json.dumps(QUESTION)
    return f"""
Privacy Controlling API, on synthetic pupils (nobody real)

  URL        {url}
  web        {url}  (sign in as any of the made-up people)
  key        {key}
  data set   {DATA_SET}

Ask:

curl -s '{url}/v1/data-sets/{DATA_SET}/query?format=csv' -H 'Authorization: Bearer {key}' {AS_JSON} -d '{question}'

In Python (pip install ./clients/python):

from privacy_api_client import Client
client = Client("{url}", "{key}")
print(client.query("{DATA_SET}", {QUESTION!r}).rows[:3])

Kept in {home}. Ctrl+C stops it; --reset starts from nothing.
"""
