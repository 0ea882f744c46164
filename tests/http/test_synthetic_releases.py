"""Synthetic releases as anybody reads them: only what enough people signed, byte for byte, and by known names alone."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import text

from privacy_api.service import synthetic_releases
from privacy_api.service.synthetic_releases import AlreadySigned, put_out, sign, signers
from privacy_api.stores.shelf import FolderShelf
from privacy_api.wire import synthetic_out
from synthetic.publish import SIGNED, TABLES, publish
from synthetic.release import digest
from synthetic.tiers import Tier
from tests.lib.released import PARTS, made_up, put_out_made_up
from tests.lib.service import Service, pupils, running
from tests.stores.cases import behind_its_back

URL = "/v1/synthetic/releases"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, pupils(5)) as made:
        yield made


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    """A service with one release, for tests that change nothing."""
    with running(tmp_path_factory.mktemp("out"), pupils(5)) as made:
        yield made, f"{URL}/{put_out_made_up(made.services)}"


def listed(service: Service) -> list[str]:
    response = service.client.get(URL)
    assert response.status_code == 200
    return [each["id"] for each in response.json()["results"]]


def rows_of(parquet: bytes, folder: Path) -> list[tuple[Any, ...]]:
    import duckdb

    path = folder / "table.parquet"
    path.write_bytes(parquet)
    return duckdb.sql(f"SELECT * FROM read_parquet('{path}')").fetchall()


def test_a_release_is_listed_with_its_tables_and_found(out: tuple[Service, str]) -> None:
    service, here = out
    (told,) = service.client.get(URL).json()["results"]
    whole = service.client.get(here).json()
    assert told["links"]["self"] == here
    assert {t["name"]: t["rows"] for t in told["tables"]} == {"census": 100, "rolls": 5}
    assert (told["tier"], told["signatures"]) == ("T1", 2)
    assert whole == told | {"manifest": whole["manifest"]}
    assert sorted(whole["manifest"]["files"]) == sorted(f"{name}.parquet" for name in PARTS)


def test_no_name_of_an_officer_is_told(out: tuple[Service, str]) -> None:
    service, here = out
    for told in (service.client.get(address).text for address in (URL, here, "/synthetic")):
        assert "olive" not in told


def test_the_example_of_the_document_looks_like_a_release(out: tuple[Service, str]) -> None:
    service, here = out
    told = service.client.get(here).json()
    assert shape(synthetic_out.EXAMPLE) == shape({k: v for k, v in told.items() if k != "manifest"})
    document = service.client.get("/openapi.json").json()["paths"][URL]["get"]["responses"]["200"]
    assert document["content"]["application/json"]["example"]["results"] == [synthetic_out.EXAMPLE]


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) else type(value)


def test_all_of_it_says_that_nobody_is_in_it(out: tuple[Service, str]) -> None:
    service, here = out
    for address in (URL, here, f"{here}/report", f"{here}/download/census", f"{here}/download/census?format=csv"):
        assert service.client.get(address).headers["x-data-provenance"] == "synthetic", address


def test_a_table_is_the_rows_of_all_its_files_in_their_order(out: tuple[Service, str], tmp_path: Path) -> None:
    service, here = out
    found = rows_of(service.client.get(f"{here}/download/census").content, tmp_path)
    made = made_up(tmp_path / "again")
    wanted = [
        row for name in PARTS if "census" in name for row in rows_of((made / f"{name}.parquet").read_bytes(), tmp_path)
    ]
    assert found == wanted
    assert len(found) == 100


def test_a_table_of_one_file_is_the_bytes_that_were_signed(out: tuple[Service, str]) -> None:
    service, here = out
    files = service.client.get(here).json()["manifest"]["files"]
    content = service.client.get(f"{here}/download/rolls").content
    assert hashlib.sha256(content).hexdigest() == files["rolls.parquet"]["sha256"]


def test_a_joined_table_still_says_in_itself_that_it_is_synthetic(out: tuple[Service, str], tmp_path: Path) -> None:
    from synthetic.checking.labels import unmarked

    service, here = out
    (tmp_path / "census.parquet").write_bytes(service.client.get(f"{here}/download/census").content)
    assert unmarked(tmp_path, ["census.parquet"]) == []


def test_the_headers_vouch_for_the_bytes(out: tuple[Service, str]) -> None:
    service, here = out
    told = {t["name"]: t["sha256"] for t in service.client.get(here).json()["tables"]}
    response = service.client.get(f"{here}/download/census")
    sha256 = hashlib.sha256(response.content).hexdigest()
    assert sha256 == told["census"]
    assert response.headers["etag"] == f'"{sha256}"'
    assert response.headers["repr-digest"] == f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
    assert response.headers["content-type"] == "application/vnd.apache.parquet"


def test_csv_by_parameter_and_by_accept_has_the_same_rows(out: tuple[Service, str]) -> None:
    service, here = out
    by_name = service.client.get(f"{here}/download/census?format=csv")
    by_type = service.client.get(f"{here}/download/census", headers={"Accept": "text/csv"})
    assert by_name.headers["content-type"] == by_type.headers["content-type"] == "text/csv; charset=utf-8"
    assert by_name.content == by_type.content
    lines = by_name.text.splitlines()
    assert (lines[0], len(lines)) == ("pupil,sex,is_synthetic", 101)
    assert "repr-digest" not in by_name.headers, "it is not of these bytes"
    parquet = service.client.get(f"{here}/download/census", headers={"Accept": "text/html, */*"})
    assert parquet.headers["etag"] != by_name.headers["etag"]
    assert parquet.content[:4] == b"PAR1"


def test_csv_is_written_again_where_somebody_tidied_it_away(service: Service) -> None:
    here = f"{URL}/{put_out_made_up(service.services)}"
    before = service.client.get(f"{here}/download/rolls?format=csv").text
    shelf = service.services.shelf
    assert isinstance(shelf, FolderShelf)
    assert shelf._scratch is not None
    shutil.rmtree(shelf._scratch)
    assert service.client.get(f"{here}/download/rolls?format=csv").text == before


@pytest.mark.parametrize("asked", [{"params": {"format": "xlsx"}}, {"headers": {"Accept": "image/png"}}])
def test_another_format_is_refused(out: tuple[Service, str], asked: dict[str, Any]) -> None:
    service, here = out
    refused = service.client.get(f"{here}/download/census", **asked)
    assert (refused.status_code, refused.json()["code"]) == (406, "not-acceptable")


def test_a_large_table_is_not_written_as_csv(out: tuple[Service, str], monkeypatch: pytest.MonkeyPatch) -> None:
    service, here = out
    monkeypatch.setattr(synthetic_releases, "MOST_CSV_ROWS", 99)
    told = {t["name"]: t["links"]["csv"] for t in service.client.get(here).json()["tables"]}
    assert (told["census"], bool(told["rolls"])) == (None, True)
    assert service.client.get(f"{here}/download/census?format=csv").status_code == 406


@pytest.mark.parametrize("tail", ["/report", "/download/census", "/download/census?format=csv"])
def test_who_has_the_same_bytes_gets_none(out: tuple[Service, str], tail: str) -> None:
    service, here = out
    first = service.client.get(here + tail)
    again = service.client.get(here + tail, headers={"If-None-Match": first.headers["etag"]})
    other = service.client.get(here + tail, headers={"If-None-Match": '"another"'})
    assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
    assert again.content == b""


def test_parts_of_a_file_are_given(out: tuple[Service, str]) -> None:
    service, here = out
    whole = service.client.get(f"{here}/download/census").content
    asked = service.client.head(f"{here}/download/census")
    part = service.client.get(f"{here}/download/census", headers={"Range": "bytes=-8"})
    assert (asked.status_code, int(asked.headers["content-length"]), asked.content) == (200, len(whole), b"")
    assert (part.status_code, part.content) == (206, whole[-8:])


def test_the_report_may_show_its_own_style_and_do_nothing(out: tuple[Service, str]) -> None:
    service, here = out
    response = service.client.get(f"{here}/report")
    style = base64.b64encode(hashlib.sha256(b"h1 { color: #123456; }").digest()).decode()
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert set(response.headers["content-security-policy"].split("; ")) == {
        "default-src 'none'", f"style-src 'sha256-{style}'", "base-uri 'none'", "form-action 'none'",
        "frame-ancestors 'none'", "sandbox",
    }  # fmt: skip


ELSEWHERE = (
    "/nothing", "/0123456789abcdef", "/..", "/%2e%2e", "/.coming", "/{id}/download/nothing",
    "/{id}/download/..%2fsigned",
    "/{id}/download/%2e%2e%2fsigned%2fmanifest", "/{id}/download/manifest.json", "/{id}/download/census.parquet",
    "/{id}/download/%00", "/{id}/../../service.db", "/{id}/signed", "/{id}x",
)  # fmt: skip


@pytest.mark.parametrize("tail", ELSEWHERE)
def test_nothing_else_is_there(out: tuple[Service, str], tail: str) -> None:
    service, here = out
    response = service.client.get(URL + tail.replace("{id}", here.rsplit("/", 1)[1]))
    assert (response.status_code, response.json()["code"]) == (404, "not-found")


def test_one_signature_of_two_shows_nothing(service: Service, tmp_path: Path) -> None:
    folder, services = made_up(tmp_path / "made", Tier.PRIVATE), service.services
    of = digest(folder)
    sign(of, "console:ada", "Looked at.", Tier.PRIVATE, services.audit)
    put_out(folder, of, "console:ada", services.audit, services.shelf)
    assert listed(service) == []
    assert service.client.get(f"{URL}/{of[:16]}").status_code == 404
    with pytest.raises(AlreadySigned):
        sign(of, "console:Ada", "Once more.", Tier.PRIVATE, services.audit)
    sign(of, "console:olive", "Looked at too.", Tier.PRIVATE, services.audit)
    assert signers(of, services.audit) == ["console:ada", "console:olive"]
    assert listed(service) == [of[:16]]


def test_a_folder_that_nobody_recorded_is_not_shown(service: Service, tmp_path: Path) -> None:
    folder = made_up(tmp_path / "made")
    publish(folder, service.home / "synthetic", digest(folder))
    sign(digest(folder), "console:ada", "Looked at.", Tier.CALIBRATED, service.services.audit)
    assert listed(service) == []


def changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    [f"{SIGNED}/manifest.json", f"{SIGNED}/report.html", f"{SIGNED}/report.json",
     f"{SIGNED}/census/2024-AUT-000.parquet", f"{TABLES}/census.parquet"],
)  # fmt: skip
def test_one_bit_that_changed_takes_it_away(service: Service, name: str) -> None:
    release = put_out_made_up(service.services)
    assert listed(service) == [release]
    changed(service.home / "synthetic" / release / name)
    assert listed(service) == []
    assert service.client.get(f"{URL}/{release}/download/rolls").status_code == 404


def test_a_bit_that_changed_without_a_trace_of_when_takes_it_away_too(service: Service) -> None:
    release = put_out_made_up(service.services)
    assert listed(service) == [release]
    path = service.home / "synthetic" / release / TABLES / "census.parquet"
    before = path.stat()
    changed(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert listed(service) == []


@pytest.mark.parametrize("name", [f"{SIGNED}/more.txt", f"{TABLES}/more.parquet"])
def test_a_file_that_came_later_takes_it_away(service: Service, name: str) -> None:
    release = put_out_made_up(service.services)
    (service.home / "synthetic" / release / name).write_text("1")
    assert listed(service) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [("report.json", {"about": {"release": "r", "pupils": 1}}), ("manifest.json", {"tier": "T9"}),
     ("manifest.json", {"keeps": None}), ("manifest.json", {"files": {"rolls.parquet": {"rows": "5"}}})],
)  # fmt: skip
def test_one_that_cannot_be_told_of_keeps_nobody_from_the_others(
    service: Service, tmp_path: Path, name: str, content: dict[str, Any]
) -> None:
    release, folder, services = put_out_made_up(service.services), made_up(tmp_path / "made"), service.services
    before = json.loads((folder / name).read_text(encoding="utf-8"))
    (folder / name).write_text(json.dumps(before | content), encoding="utf-8")
    sign(digest(folder), "console:ada", "Looked at.", Tier.CALIBRATED, services.audit)
    put_out(folder, digest(folder), "console:ada", services.audit, services.shelf)
    assert listed(service) == [release]
    assert service.client.get("/synthetic").status_code == 200


def test_a_signed_folder_that_changed_is_not_put_out(service: Service, tmp_path: Path) -> None:
    folder = made_up(tmp_path / "made")
    of = digest(folder)
    (folder / "report.html").write_text("<p>other", encoding="utf-8")
    with pytest.raises(ValueError, match="changed since it was signed"):
        put_out(folder, of, "console:ada", service.services.audit, service.services.shelf)
    assert [p.name for p in (service.home / "synthetic").iterdir() if not p.name.startswith(".")] == []


def test_a_table_with_a_strange_name_is_not_put_out(service: Service, tmp_path: Path) -> None:
    folder = made_up(tmp_path / "made")
    shutil.move(folder / "rolls.parquet", folder / "..rolls.parquet")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["..rolls.parquet"] = manifest["files"].pop("rolls.parquet")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="named as their data sets"):
        publish(folder, tmp_path / "shelf", digest(folder))


def test_a_file_outside_of_the_folder_is_no_table(service: Service, tmp_path: Path) -> None:
    """A table at the root of the machine, by the name that a manifest gives it."""
    folder = made_up(tmp_path / "made")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["/elsewhere.parquet"] = manifest["files"]["rolls.parquet"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="named as their data sets"):
        publish(folder, tmp_path / "shelf", digest(folder))


def test_where_the_record_was_edited_nothing_is_told(service: Service) -> None:
    put_out_made_up(service.services)
    with behind_its_back(f"sqlite:///{service.home / 'service.db'}") as connection:
        connection.execute(text("UPDATE audit SET actor = 'console:eve' WHERE kind = 'synthetic-signed'"))
    for address in (URL, "/synthetic"):
        assert service.client.get(address).status_code == 503, address


def test_the_newest_is_first_and_one_is_taken_back_by_removing_it(service: Service) -> None:
    first, second = (put_out_made_up(service.services, seed=seed) for seed in (1, 2))
    assert listed(service) == [second, first]
    shutil.rmtree(service.home / "synthetic" / first)
    assert listed(service) == [second]


PUBLISHES = """
import sys
from pathlib import Path
import synthetic.publish as p
from synthetic.release import digest
from synthetic.tiers import Tier
folder, shelf = Path(sys.argv[1]), Path(sys.argv[2])
real = getattr(p, sys.argv[3])
def stops(*given):
    print("there", flush=True)
    sys.stdin.read()
setattr(p, sys.argv[3], stops)
p.publish(folder, shelf, digest(folder))
"""


@pytest.mark.parametrize("step", ["_write_tables", "_to_disk", "sync"])
def test_who_is_killed_on_the_way_leaves_nothing_that_is_listed(service: Service, tmp_path: Path, step: str) -> None:
    folder, shelf = made_up(tmp_path / "made"), service.home / "synthetic"
    command = [sys.executable, "-c", PUBLISHES, str(folder), str(shelf), step]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "there\n"
        os.kill(killed.pid, signal.SIGKILL)
    assert listed(service) == []
    assert put_out_made_up(service.services) == digest(folder)[:16]
    assert listed(service) == [digest(folder)[:16]]
    assert sorted(p.name for p in shelf.iterdir()) == [".lock", digest(folder)[:16]]


def test_the_page_leads_to_the_report_and_the_files(out: tuple[Service, str]) -> None:
    service, here = out
    page = service.client.get("/synthetic", headers={"Accept": "text/html"}).text
    for link in (f"{here}/report", f"{here}/download/census", f"{here}/download/rolls?format=csv"):
        assert f'href="{link}"' in page


def test_nobody_waits_for_files_that_are_being_hashed(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    from privacy_api.stores import shelf

    first = put_out_made_up(service.services, seed=1)
    assert listed(service) == [first]
    second, begun, go_on = put_out_made_up(service.services, seed=2), Event(), Event()
    real = shelf.tree

    def slow(folder: Path) -> dict[str, str]:
        begun.set()
        assert go_on.wait(30)
        return real(folder)

    monkeypatch.setattr(shelf, "tree", slow)
    looking = Thread(target=service.services.shelf.releases)
    looking.start()
    assert begun.wait(30)
    assert listed(service) == [first], "what was there before"
    go_on.set()
    looking.join()
    assert listed(service) == [second, first]


def test_files_are_read_again_only_where_they_changed(
    out: tuple[Service, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from privacy_api.stores import shelf

    service, _ = out
    assert len(listed(service)) == 1
    monkeypatch.setattr(shelf, "tree", lambda folder: pytest.fail(f"{folder} was hashed again"))
    assert len(listed(service)) == 1


def test_a_server_hashes_when_it_starts_and_a_command_hashes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from privacy_api.bootstrap import make_app, open_services
    from privacy_api.settings import load_settings
    from privacy_api.stores import shelf

    settings = load_settings({}, home=tmp_path, mode="demo")
    services = open_services(settings)
    release = put_out_made_up(services)
    services.close()
    looked: list[Path] = []
    real = shelf.tree
    monkeypatch.setattr(shelf, "tree", lambda folder: looked.append(folder) or real(folder))  # type: ignore[func-returns-value]
    open_services(settings).close()
    assert looked == []
    make_app(settings).state.services.close()
    assert {folder.parent.name for folder in looked} == {release}
