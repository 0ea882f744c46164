"""What every page has in common: headers, static files, errors, escaping."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from starlette.requests import Request

from privacy_api.settings import Brand, SettingsRefused
from privacy_api.web.assets import load_assets
from privacy_api.web.errors import SAID, wants_page
from privacy_api.web.pages_base import environment
from tests.lib import school
from tests.lib.service import Service, running

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ROOT = Path(__file__).parent.parent.parent
VENDORED = ROOT / "privacy_api" / "web" / "assets" / "govuk-frontend"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("site")) as made:
        yield made


def test_a_page_allows_nothing_inline_and_no_other_host(site: Service) -> None:
    response = site.client.get("/", headers=PAGE)
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "img", "font", "connect")} == {"'self'"}
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "same-origin", "no-referrer makes browsers send 'Origin: null'"
    assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=", response.text)
    loaded = re.findall(r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=\"([^\"]+)", response.text)
    assert loaded
    assert all(link.startswith("/static/") for link in loaded)


def test_static_files_are_kept_for_good_under_their_digest(site: Service) -> None:
    page = site.client.get("/", headers=PAGE).text
    for link in set(re.findall(r'"(/static/[^"]+)"', page)):
        found = site.client.get(link)
        assert found.status_code == 200, link
        assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert site.client.head(link).headers["content-length"] == found.headers["content-length"]
    other = site.client.get("/static/0000000000000000/pages.css")
    assert (other.status_code, other.headers["cache-control"]) == (200, "no-store"), "a page of another version"
    for name in ("nothing.css", "SHA256SUMS", "..%2fpages_base.py", "brand.sha256"):
        assert site.client.get(f"/static/{load_assets().digest}/{name}").status_code == 404


def test_vendored_files_are_those_of_the_package() -> None:
    sums = dict(reversed(line.split("  ")) for line in (VENDORED / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == {p.name for p in VENDORED.iterdir()} - {"SHA256SUMS", "LICENSE"}
    assert all(hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == known for name, known in sums.items())
    assert '--govuk-frontend-version:"6.3.0"' in (VENDORED / "govuk-frontend.min.css").read_text()


def test_the_neutral_brand_has_no_fonts_and_no_crest() -> None:
    style = load_assets().files["govuk-frontend.min.css"].body.decode()
    assert "@font-face" not in style
    assert "GDS Transport" not in style
    assert "url(" not in style
    assert len(style) > 100_000


def test_the_govuk_brand_serves_its_files_and_nothing_else(tmp_path: Path) -> None:
    bare = load_assets(Brand.GOVUK, tmp_path / "none")
    assert "url(" not in bare.files["govuk-frontend.min.css"].body.decode(), "without the files it asks for none"
    (tmp_path / "govuk-crest.svg").write_text("<svg/>")
    with pytest.raises(SettingsRefused, match=r"not the file of the GOV\.UK brand"):
        load_assets(Brand.GOVUK, tmp_path)


def test_programs_get_problems_and_people_get_pages(site: Service) -> None:
    page = site.client.get("/nothing", headers=PAGE)
    assert page.status_code == 404
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1" in page.text
    assert "Page not found" in page.text
    for path, accept in (("/nothing", "*/*"), ("/v1/nothing", PAGE["Accept"]), ("/nothing", "application/json")):
        response = site.client.get(path, headers={"Accept": accept})
        assert response.headers["content-type"] == "application/problem+json", (path, accept)
        assert response.status_code == 404
    assert site.client.post("/", headers=PAGE).status_code == 405


@pytest.mark.parametrize(
    ("accept", "path", "wanted"),
    [
        ("text/html", "/x", True),
        ("text/html;q=0.5, application/json;q=0.9", "/x", False),
        ("text/html;q=0.9, application/json;q=0.5", "/x", True),
        ("text/html;q=wrong", "/x", False),
        ("text/html;q=0", "/x", False),
        ("*/*", "/x", False),
        ("", "/x", False),
        ("text/html", "/v1", False),
        ("text/html", "/v1/data-sets", False),
        ("text/html", "/v1x", True),
        ("text/html", "/health", False),
    ],
)
def test_who_wants_a_page(accept: str, path: str, wanted: bool) -> None:
    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"accept", accept.encode())]}
    assert wants_page(Request(scope | {"query_string": b"", "server": ("test", 80), "scheme": "http"})) is wanted


def test_every_status_of_an_error_page_says_what_to_do(site: Service) -> None:
    assert {401, 403, 404, 405, 429, 500, 503} <= set(SAID)
    assert all(said.next.endswith(".") for said in SAID.values())


@pytest.mark.parametrize(
    ("broken", "kind"), [(None, "text/html; charset=utf-8"), (object(), "application/problem+json")]
)
def test_what_nobody_foresaw_does_not_tell_its_cause(tmp_path: Path, broken: object, kind: str) -> None:
    """The start page fails with either; its error page only with the second."""
    with running(tmp_path) as service:
        object.__setattr__(service.services, "data_sets", broken)
        response = service.client.get("/", headers=PAGE)
        assert (response.status_code, response.headers["content-type"]) == (500, kind)
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "has no attribute" not in response.text
        assert "problem with the service" in response.text or response.json()["code"] == "internal"


def test_titles_and_addresses_are_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    catalogue = school.CATALOGUE.replace('title = "Census"', f'title = "{evil}"')
    with running(tmp_path, catalogue=catalogue) as service:
        page = service.client.get("/", headers=PAGE).text
        assert evil not in page
        assert "&lt;script&gt;alert(1)" in page
        response = service.client.get(f"/{evil}?q={evil}", headers={**PAGE, "Host": '"><script>x'})
        assert "<script>alert" not in response.text
        assert "<script>x" not in service.client.get("/", headers={**PAGE, "Host": '"><script>x'}).text


def test_a_name_that_no_page_gave_is_a_mistake() -> None:
    lenient = environment().from_string("{{ given.absent }}{% if absent %}x{% endif %}")
    assert lenient.render(given={}) == ""
    with pytest.raises(jinja2.UndefinedError, match="absent"):
        environment().from_string("{{ absent }}").render()
