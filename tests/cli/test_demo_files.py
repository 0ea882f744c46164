"""The demonstration's files are out whenever its cut is there, wherever an earlier start was interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

import datasets.ingest
from datasets.ingest import list_cuts
from privacy_api.bootstrap import open_services
from privacy_api.cli import demo
from privacy_api.service import synthetic_releases
from privacy_api.service.synthetic_releases import releases
from privacy_api.settings import Settings, load_settings

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """Nothing in between sees it."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({}, home=tmp_path, mode="demo")


def killed(*_: object, **__: object) -> None:
    raise Killed


def out(settings: Settings) -> list[str]:
    services = open_services(settings)
    try:
        return [release.id for release in releases(services)]
    finally:
        services.close()


STEPS = [(demo, "_put_out"), (synthetic_releases, "put_out"), (datasets.ingest, "ingest")]


@pytest.mark.parametrize(("module", "step"), STEPS, ids=[name for _, name in STEPS])
def test_who_starts_again_has_the_cut_and_one_release(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, module: object, step: str
) -> None:
    with monkeypatch.context() as at:
        at.setattr(module, step, killed)
        with pytest.raises(Killed):
            demo._build(settings, 1_000)
    demo._build(settings, 1_000)
    assert list_cuts(settings.cuts) == (demo.CUT,)
    assert len(out(settings)) == 1
