"""/sandbox: what anybody gets without an account, as a browser without scripts uses it; and what says synthetic."""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasets.catalogue_toml import CatalogueRefused, load_catalogue
from datasets.engines.memory import MemoryEngine
from privacy_api.routes.throttle import Throttle
from privacy_api.service.cuts import HostedCut, hosted
from privacy_api.stores.clock import now
from tests.lib import school
from tests.lib.service import POLICY, URL, Service, loaded, pupils, running

LIVE = school.CATALOGUE.replace('id = "school"', 'id = "real"').replace(
    "synthetic = true", 'synthetic = false\nsynthetic_twin = "school"'
)
HERE = {"Sec-Fetch-Site": "same-origin"}
MARK = "X-Data-Provenance"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, pupils(60), now=now) as made:
        yield made


def post(service: Service, page: str, headers: dict[str, str] = HERE, **fields: str) -> Any:
    return service.client.post(page, data={"csrf": "", **fields}, headers=headers)


def opened(service: Service) -> tuple[str, str]:
    """The page, and the key on it."""
    made = post(service, "/sandbox")
    assert made.status_code == 201, made.text
    return html.unescape(made.text), re.search(r"npd_test_\w+_[\w-]+", made.text)[0]  # type: ignore[index]


def test_anybody_gets_a_key_a_line_to_paste_a_budget_and_begins_again(service: Service) -> None:
    assert "Get a key" in service.client.get("/sandbox").text
    page, key = opened(service)
    assert "http://testserver" in page and "0.5 ρ" in page
    (line,) = re.findall(r"^.*(curl -s .*)</code>", page, re.MULTILINE)
    words = shlex.split(line)
    url, body = words[2], words[words.index("-d") + 1]
    headers = dict(words[i + 1].split(": ", 1) for i, word in enumerate(words) if word == "-H")
    answer = service.client.post(url, content=body, headers=headers)
    assert (answer.status_code, answer.headers[MARK]) == (200, "synthetic")
    assert answer.text.splitlines()[1].endswith(",true"), "each row says that nobody real is in it"
    assert key not in service.client.get("/sandbox").text
    assert "0.495 ρ" in post(service, "/sandbox/yours", key=key).text
    again = post(service, "/sandbox/yours", key=key, act="again")
    assert "begins again" in again.text and "0.495 ρ" not in again.text
    assert service.client.post(url, content=body, headers=headers).headers["Charge-Nano-Rho"] != "0"


def test_what_the_page_refuses(service: Service) -> None:
    assert post(service, "/sandbox", {"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert post(service, "/sandbox", {"Origin": "https://elsewhere.example"}).status_code == 403
    _, key = opened(service)
    assert post(service, "/sandbox/yours", {"Sec-Fetch-Site": "cross-site"}, key=key, act="again").status_code == 403
    for wrong in ("", "npd_test_aaaaaaaa_" + "a" * 43, service.key, "x" * 101):
        refused = post(service, "/sandbox/yours", key=wrong, act="again")
        assert refused.status_code == 422 and "There is a problem" in refused.text, "a project's key is no sandbox's"
    service.client.app.state.sandbox_throttle = Throttle(0, 3600)  # type: ignore[attr-defined]
    assert post(service, "/sandbox").status_code == 429
    assert post(service, "/sandbox/yours", key=key, act="again").status_code == 429
    assert post(service, "/sandbox/yours", key=key).status_code == 200, "looking is not rationed"


@pytest.fixture
def pair(service: Service) -> Service:
    """The same service with a real cut too, whose twin the synthetic one is."""
    real = HostedCut(load_catalogue(LIVE), "1", loaded(POLICY), MemoryEngine({"census": list(pupils(60))}))
    cut = service.services.data_sets["school.census"].cut
    both = replace(service.services, data_sets=hosted((cut, real)))
    service.client.app.state.services = both  # type: ignore[attr-defined]
    return service


def test_what_is_synthetic_says_so_and_what_is_not_does_not(pair: Service) -> None:
    get, key = pair.client.get, pair.auth
    query = {"measures": [{"statistic": "count"}], "groupBy": ["sex"]}
    for cut, said in (("school", "synthetic"), ("real", None)):
        url = URL.replace("school.census", f"{cut}.census")
        asked = pair.client.post(url, json=query, headers=key)
        told = asked.json()["dataSet"]
        assert (told["synthetic"], told["provenance"]) == (cut == "school", said or "hosted")
        release = asked.headers["Release-Id"]
        preview = pair.client.post(f"{url}/preview", json=query, headers=key)
        assert preview.json()["dataSet"]["provenance"] == told["provenance"]
        about = f"/v1/data-sets/{cut}.census"
        wrong = pair.client.post(url, json={"measures": []}, headers=key)
        read = [get(f"/v1/releases/{release}?format={f}", headers=key) for f in ("json", "csv", "parquet", "csvw")]
        others = [get(about), get(f"{about}/meta"), get(f"/catalogue/{cut}.census")]
        odometer = get(f"{about}/odometer", headers=key)
        for response in (asked, preview, wrong, *read, *others, odometer):
            assert response.headers.get(MARK) == said, response.request.url
        lines = read[1].text.splitlines()
        assert lines[0].endswith(",status,is_synthetic")
        assert {line.rpartition(",")[2] for line in lines[1:]} == {str(cut == "school").lower()}
        assert (b"synthetic" if said else b"hosted") in read[2].content
    assert MARK not in get("/v1/data-sets").headers, "which lists both"


def test_a_data_set_names_its_twin_and_a_question_to_one_is_a_question_to_the_other(pair: Service) -> None:
    found = {d["id"]: d["twin"] for d in pair.client.get("/v1/data-sets").json()["results"]}
    assert found == {"school.census": "real.census", "real.census": "school.census"}


def test_cuts_that_nobody_declared_a_pair_are_none(pair: Service) -> None:
    before = pair.client.app.state.services  # type: ignore[attr-defined]
    cuts = {h.cut.id: h.cut for h in before.data_sets.values()}.values()
    alone = [replace(cut, catalogue=replace(cut.catalogue, twin="")) for cut in cuts]
    pair.client.app.state.services = replace(before, data_sets=hosted(tuple(alone)))  # type: ignore[attr-defined]
    assert {d["twin"] for d in pair.client.get("/v1/data-sets").json()["results"]} == {None}


@pytest.mark.parametrize("twin", ["real", "Not An Id"])
def test_a_twin_is_another_cut(twin: str) -> None:
    with pytest.raises(CatalogueRefused, match="synthetic_twin"):
        load_catalogue(LIVE.replace('twin = "school"', f'twin = "{twin}"'))


def test_a_synthetic_cut_has_no_twin_of_its_own() -> None:
    with pytest.raises(CatalogueRefused, match="synthetic_twin"):
        load_catalogue(LIVE.replace("synthetic = false", "synthetic = true"))
