"""Files with nobody in them, by the client."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from privacy_api_client import Client, NotFound, PrivacyApiError, ServerError

from privacy_api.service.services import Services
from tests.lib.released import put_out_made_up

from .conftest import Demo


@pytest.fixture
def release(demo: Demo) -> str:
    services: Services = demo.http.app.state.services  # type: ignore[attr-defined]
    return put_out_made_up(services)


def test_releases_are_listed_and_saved(client: Client, release: str, tmp_path: Path) -> None:
    (found,) = client.synthetic_releases()
    assert (found.id, found.tier, found.pupils) == (release, "T1", 60)
    assert {t.name: t.rows for t in found.tables.values()} == {"census": 100, "rolls": 5}
    saved = client.download(release, "census", tmp_path / "census.parquet")
    assert sha256(saved.read_bytes()).hexdigest() == found.tables["census"].sha256
    lines = client.download(release, "rolls", tmp_path / "rolls.csv", format="csv").read_text().splitlines()
    assert len(lines) == 6


def test_what_is_not_there_leaves_no_file(client: Client, release: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        client.download(release, "nothing", tmp_path / "nothing.parquet")
    with pytest.raises(PrivacyApiError, match="parquet"):
        client.download(release, "census", tmp_path / "census.xlsx", format="xlsx")
    assert list(tmp_path.glob("census*")) == list(tmp_path.glob("nothing*")) == []


def test_other_bytes_than_those_released_are_not_kept(demo: Demo, release: str, tmp_path: Path) -> None:
    def spoilt(request: httpx2.Request) -> httpx2.Response:
        answer = demo.pass_on(request)
        return httpx2.Response(200, content=answer.content + b" ") if "download" in str(request.url) else answer

    client = Client("http://localhost", demo.key, transport=httpx2.MockTransport(spoilt))
    (tmp_path / "kept.parquet").write_bytes(b"from an earlier day")
    for name in ("new", "kept"):
        with pytest.raises(ServerError, match="not the one that was released"):
            client.download(release, "census", tmp_path / f"{name}.parquet")
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.parquet*")} == {
        "kept.parquet": b"from an earlier day"
    }
