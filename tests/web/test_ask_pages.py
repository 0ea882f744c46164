"""The query builder and the pages of answers, without a browser: what is offered, asked, shown and charged, to whom."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.engines.memory import MemoryEngine
from datasets.scope import DataSetScope
from privacy_api.formats import FORMATS
from privacy_api.ports import Project, Role
from privacy_api.service.cuts import HostedCut, hosted
from privacy_api.web.asking.builder import STEPS
from tests.lib import school
from tests.lib.service import OPEN_OFFICIAL, POLICY, Service, loaded, pupils, running
from tests.web.visitor import Visitor, main_text, visitor

ASK = "/ask/tests/school.census"
GROUPS = [("codes", "M"), ("codes", "F")]
DAYS = {"statistic": "sum", "variable": "days"}
COUNT = {"measures": [{"statistic": "count"}], "groupBy": ["la"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("asking"), pupils(4000), cap=2_000_000_000) as made:
        made.services.projects.create_project(Project("plain", "No grants", 10**9, frozenset()))
        yield made


@pytest.fixture(scope="module")
def ada(site: Service) -> Visitor:
    return visitor(site, "tests", "plain")


def at(step: str, query: object, base: str = ASK, **more: str) -> str:
    return f"{base}/{step}?{urlencode({'q': json.dumps(query, separators=(',', ':')), **more})}"


def query_in(address: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(parse_qs(urlsplit(address).query)["q"][0])
    return found


def test_from_the_first_step_to_the_answer(ada: Visitor) -> None:
    check = ada.walk(
        f"{ASK}/who",
        [("time", "202122"), ("reference", "la"), ("do", "add")],
        [("reference", "la"), ("code", "A1"), ("code", "A2"), ("code", "A3")],
        [("time", "202122"), ("do", "continue")],
        [("row-1", "la"), ("columns", "sex"), ("do", "update")],
        [("row-1", "la"), ("columns", "sex"), ("totals", ","), ("totals", "la"), ("do", "continue")],
        [("statistic", "count"), ("do", "add")],
        [("statistic", "count")],
        [("do", "continue")],
        [("price", "rho:0.02"), ("do", "continue")],
    )
    assert query_in(check) == {
        "criteria": {"filters": {"year": {"in": ["202122"]}, "la": {"in": ["A1", "A2", "A3"]}}},
        "groupBy": ["la", "sex"],
        "totals": [[], ["la"]],
        "measures": [{"statistic": "count"}],
        "rho": "0.02",
    }
    said = main_text(ada.get(check))
    assert "Academic year is 2021/2022 AY" in said
    assert "Local authority is Ashby or Barton or Corley" in said
    assert "Asking charges 0.02 ρ to Tests" in said
    answer = ada.walk(check, [("do", "ask")])
    shown = main_text(ada.get(answer))
    assert "Number of rows by Local authority and Sex" in shown
    assert "Your project paid 0.02 ρ" in shown
    assert "Total" in shown
    again = main_text(ada.get(check))
    assert "All of this was measured before: the answer is free." in again
    assert ada.walk(check, [("do", "ask")]) == answer


@pytest.mark.parametrize(
    ("fields", "made"),
    [
        ([("statistic", "mean"), ("variable", "score")], {"statistic": "mean", "variable": "score"}),
        (
            [("statistic", "percentage"), ("variable", "need"), ("codes", "a"), ("codes", "b")],
            {"statistic": "percentage", "variable": "need", "codes": ["a", "b"]},
        ),
        (
            [("statistic", "quantile"), ("variable", "score"), ("probabilities", "25, 50 %;97.5")],
            {"statistic": "quantile", "variable": "score", "probabilities": ["0.25", "0.5", "0.975"]},
        ),
        (
            [("statistic", "correlation"), ("variable", "score"), ("with", "days")],
            {"statistic": "correlation", "variable": "score", "with": "days"},
        ),
        (
            [("statistic", "gap"), ("inner", "sum"), ("inner-variable", "days"), ("variable", "sex"), *GROUPS],
            {"statistic": "gap", "of": [DAYS], "variable": "sex", "codes": ["M", "F"]},
        ),
        (
            [("statistic", "ols"), ("variable", "score"), ("terms", "days"), ("terms", "sex")],
            {"statistic": "ols", "variable": "score", "terms": ["days", "sex"]},
        ),
    ],
)  # fmt: skip
def test_each_kind_of_measure_has_a_form(ada: Visitor, fields: list[tuple[str, str]], made: object) -> None:
    start = at("measure", {}, statistic=fields[0][1])
    first = ada.get(start).text
    if 'name="csrf"' not in first.partition("<main")[2]:  # the variable is asked for first
        start += f"&variable={dict(fields)['variable']}"
    assert query_in(ada.walk(start, fields))["measures"] == [made]


def test_a_measure_is_changed_and_removed(ada: Visitor) -> None:
    two = {"measures": [{"statistic": "count"}, {"statistic": "mean", "variable": "score"}]}
    page = ada.get(at("measure", two, place="1"))
    assert re.search(r'<option value="score" selected', page.text)
    changed = ada.walk(at("measure", two, place="1"), [("place", "1"), ("statistic", "sd"), ("variable", "days")])
    assert query_in(changed)["measures"] == [{"statistic": "count"}, {"statistic": "sd", "variable": "days"}]
    gone = ada.walk(at("measures", two), [("remove", "0")])
    assert query_in(gone)["measures"] == [{"statistic": "mean", "variable": "score"}]


def test_problems_stand_at_the_field_in_plain_words(ada: Visitor) -> None:
    refused = ada.send(at("measure", {}, statistic="quantile"), ("statistic", "quantile"), ("variable", "score"),
                       ("probabilities", "250"), status=422)  # fmt: skip
    assert 'href="#probabilities"' in refused.text
    assert re.search(r'id="probabilities-error"', refused.text)
    page = ada.get(at("rows", {"measures": [{"statistic": "count"}], "groupBy": ["la", "la"]})).text
    assert "Two groupings are the same." in page
    assert "There is a problem" in page
    elsewhere = main_text(ada.get(at("who", {"measures": [{"statistic": "count"}], "groupBy": ["la", "la"]})))
    assert "To be mended Two groupings are the same." in elsewhere


def test_a_price_that_is_none_or_too_high_is_refused_where_it_is_typed(ada: Visitor) -> None:
    for fields in ([("price", "own"), ("rho", "99")], [("price", "own"), ("rho", "ten")], [("price", "margin")]):
        refused = ada.send(at("precision", COUNT), *fields, status=422)
        assert 'href="#price"' in refused.text
    wanted = query_in(ada.walk(at("precision", COUNT), [("price", "margin"), ("margin", "250"), ("at", "1000")]))
    assert wanted["measures"] == [{"statistic": "count", "precision": {"margin": 250.0, "at": 1000}}]


def test_prices_are_compared_by_what_they_buy(ada: Visitor) -> None:
    page = ada.get(at("precision", COUNT)).text
    rows = re.findall(
        r'name="price" id="price-\d" value="([^"]+)".*?<td class="govuk-table__cell">([\d.]+) ρ.*?±(\d+)', page, re.S
    )
    assert [(value, price) for value, price, _ in rows] == [
        ("as-is", "0.005"), ("rho:0.00125", "0.00125"), ("rho:0.02", "0.02"),
    ]  # fmt: skip
    usual, cheap, dear = (int(margin) for _, _, margin in rows)
    assert usual / cheap == pytest.approx(0.5, abs=0.02)
    assert usual / dear == pytest.approx(2, abs=0.05)


def test_the_box_beside_the_form_says_cells_and_price_before_it_is_sent(ada: Visitor) -> None:
    before = int(ada.service.services.ledger.project_balance(ada.service.services.projects.project("tests")).spent)  # type: ignore[arg-type]
    box = ada.send(at("rows", COUNT), ("row-1", "la"), ("row-2", "need"), ("estimate", "yes"), status=200).text
    assert "<html" not in box
    assert '<span data-fact="cells">55</span>' in box
    after = int(ada.service.services.ledger.project_balance(ada.service.services.projects.project("tests")).spent)  # type: ignore[arg-type]
    assert after == before, "looking is free"


@pytest.mark.parametrize(
    ("step", "fields", "shown"),
    [
        ("who", [("time", "202122")], "Academic year is 2021/2022 AY"),
        ("condition", [("reference", "la"), ("code", "A1")], "Local authority is Ashby"),
        ("precision", [("price", "rho:0.02")], "0.02 ρ"),
    ],
)
def test_the_box_follows_every_step(ada: Visitor, step: str, fields: list[tuple[str, str]], shown: str) -> None:
    box = ada.send(at(step, COUNT, reference="la"), *fields, ("estimate", "yes"), status=200).text
    assert shown in " ".join(box.split())


def test_only_what_the_project_may_use_is_offered(ada: Visitor) -> None:
    """Sex is of class D: the one project has a grant, the other has none."""
    granted, plain = (ada.get(f"/ask/{p}/school.census/rows").text for p in ("tests", "plain"))
    assert '<option value="sex"' in granted
    assert '<option value="sex"' not in plain
    refused = main_text(ada.get(at("check", {**COUNT, "groupBy": ["sex"]}, "/ask/plain/school.census")))
    assert "this project has no grant for it" in refused
    assert "Ask and be charged" not in refused


NAMES = """
    row-1 row-2 columns totals time reference code drop remove do place statistic variable with codes terms
    probabilities inner inner-variable price rho margin at display name query estimate
""".split()
WORDS = """
    , la la.region REG sex score score.bin year A1 a count mean gap ols quantile percentage own margin rho:x 0 1 -1
    1e999 ² nan add json save continue {} <b> \u202e
""".split()
WORDS += ["", "x" * 300]
FIELDS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(WORDS)), max_size=8)
HALF = st.sampled_from(
    ["{}", json.dumps(COUNT), '{"groupBy":["sex","nothing"]}', '{"measures":[{"statistic":"ols"}]}', "{"]
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(step=st.sampled_from([*STEPS, "condition", "measure"]), fields=FIELDS, q=HALF, place=st.sampled_from(WORDS))
def test_whatever_is_sent_no_page_breaks(
    ada: Visitor, step: str, fields: list[tuple[str, str]], q: str, place: str
) -> None:
    address = f"{ASK}/{step}?{urlencode({'q': q, 'reference': 'la', 'place': place, 'statistic': place})}"
    token = re.search(r'name="csrf" value="([^"]+)"', ada.get(f"{ASK}/who").text)
    assert token
    form = ada.headers | {"Content-Type": "application/x-www-form-urlencoded"}
    sent = [("csrf", token[1]), *(f for f in fields if f != ("do", "ask"))]
    posted = ada.service.client.post(address, content=urlencode(sent), headers=form, follow_redirects=False)
    assert posted.status_code < 500
    if posted.status_code == 303:
        led = ada.service.client.get(posted.headers["location"], headers=ada.headers, follow_redirects=False)
        assert led.status_code < 500
    assert ada.service.client.get(address, headers=ada.headers, follow_redirects=False).status_code < 500


def test_more_codes_than_a_question_may_name_are_refused_where_they_are_ticked(ada: Visitor) -> None:
    many = [("code", f"x{n}") for n in range(201)]
    refused = ada.send(at("condition", COUNT, reference="la"), ("reference", "la"), *many, status=422)
    assert 'href="#code"' in refused.text


def test_a_scope_leaves_out_what_it_does_not_name(site: Service) -> None:
    """One year, regions and no finer, and one data set."""
    scope = DataSetScope(frozenset({"la.region", "score"}), {"year": frozenset({"202122"})})
    narrow = Project("narrow", "Narrow", 10**9, frozenset(), scope={"school.census": scope})
    site.services.projects.create_project(narrow)
    zoe = visitor(site, "narrow", name="zoe")
    base = "/ask/narrow/school.census"
    rows = zoe.get(f"{base}/rows").text
    assert re.findall(r'<option value="([^"]+)"', rows.partition('id="columns"')[2].partition("</select>")[0]) == [
        "year", "la.region", "score", "score.wide",
    ]  # fmt: skip
    who = zoe.get(f"{base}/who").text
    assert 'value="202122"' in who
    assert 'value="202223"' not in who
    told = main_text(zoe.get(at("check", {"measures": [{"statistic": "count"}], "groupBy": ["la.region"]}, base)))
    assert "which this project may not ask about" in told, "it must say which year it means"


def test_another_projects_builder_does_not_exist(site: Service, ada: Visitor) -> None:
    bob = visitor(site, "plain", name="bob")
    for address in (f"{ASK}/who", "/ask/nothing/school.census/who"):
        bob.get(address, 404)
    ada.get("/ask/tests/nothing.census/who", 404)
    ada.get(f"{ASK}/nothing", 404)
    ada.get("/answers/rel-nothing", 404)
    assert "Tests" not in main_text(bob.get("/ask"))


def test_who_is_not_signed_in_is_sent_to_sign_in(site: Service) -> None:
    for address in ("/ask", f"{ASK}/who", "/my/releases", "/my/queries", "/budget", "/answers/rel-x"):
        found = site.client.get(address, headers={"Accept": "text/html"}, follow_redirects=False)
        assert found.status_code == 303
        assert found.headers["location"].startswith("/sign-in")
    key = site.client.get("/ask", headers=site.auth | {"Accept": "text/html"}, follow_redirects=False)
    assert key.status_code == 303, "pages are for people, not for keys"


def test_who_may_not_ask_sees_none_of_it(site: Service) -> None:
    auditor = visitor(site, name="audrey", role=Role.AUDITOR)
    for address in ("/ask", "/my/releases", "/budget"):
        auditor.get(address, 403)


def test_a_form_from_elsewhere_is_refused(site: Service, ada: Visitor) -> None:
    form = ada.headers | {"Content-Type": "application/x-www-form-urlencoded"}
    found = site.client.post(at("check", COUNT), content="do=ask", headers=form, follow_redirects=False)
    assert found.status_code == 403


def test_an_address_that_is_cut_off_is_told_so(ada: Visitor) -> None:
    for text in ("{", '{"measures":[{}]}', "z.AAAA"):
        ada.get(f"{ASK}/who?{urlencode({'q': text})}", 422 if text[0] == "z" or "}" in text else 400)


def test_any_question_can_be_written_as_json(ada: Visitor) -> None:
    ratio = {
        "measures": [{"statistic": "ratio", "of": [{"statistic": "sum", "variable": "days"}, {"statistic": "count"}]}]
    }
    check = ada.walk(at("check", COUNT), [("do", "json"), ("query", json.dumps(ratio))])
    assert query_in(check) == ratio
    assert "Sum of Days divided by Number of rows" in main_text(ada.get(check))
    wrong = ada.send(at("check", COUNT), ("do", "json"), ("query", '{"measures": 1}'), status=422)
    assert 'href="#query"' in wrong.text
    assert "{&#34;measures&#34;: 1}" in wrong.text, "what was typed is still there"


@pytest.fixture(scope="module")
def answered(ada: Visitor) -> str:
    question = {
        "measures": [{"statistic": "count"}, {"statistic": "mean", "variable": "score"}],
        "groupBy": ["la"],
        "totals": [[]],
    }
    return ada.walk(at("check", question), [("do", "ask")])


def test_an_answer_has_all_that_a_reader_needs(ada: Visitor, answered: str) -> None:
    page = ada.get(answered)
    release = urlsplit(answered).path.rpartition("/")[2]
    said = main_text(page)
    assert page.text.count("<svg") == 2
    assert 'data-part="interval"' in page.text
    assert "[c] hidden: too few pupils" in said
    for name in ("curl", "Python", "R", "JavaScript"):
        assert f">{name}<" in page.text
    assert "discrete Gaussian noise" in said
    assert f"@misc{{{release}," in said
    assert f"/q/{release}" in said
    assert "policy dp-default 1" in said
    change = re.search(r'href="(/ask/tests/school\.census/check\?[^"]+)"', page.text)
    assert change
    assert query_in(change[1].replace("&amp;", "&"))["groupBy"] == ["la"]


def test_downloads_are_the_release_in_every_format(ada: Visitor, answered: str) -> None:
    path = urlsplit(answered).path
    stored = ada.get(f"{path}/download/json").json()
    for known in FORMATS.values():
        found = ada.get(f"{path}/download/{known.name}")
        assert found.headers["content-type"] == known.media_type
        assert found.headers["content-disposition"].startswith('attachment; filename="rel-')
    rows = list(csv.DictReader(io.StringIO(ada.get(f"{path}/download/csv").text)))
    assert len(rows) == len(stored["results"]) == 12
    assert "la_label" in ada.get(f"{path}/download/csv?labels=both").text
    assert ada.get(f"{path}/chart/1").text.startswith("<svg")
    for wrong in ("download/xlsx", "chart/3", "chart/0", "chart/x"):
        ada.get(f"{path}/{wrong}", 404)


def test_answers_and_budget_are_listed_with_what_they_cost(site: Service, ada: Visitor, answered: str) -> None:
    another = site.ask({"measures": [{"statistic": "count"}], "groupBy": ["sex", "la"], "rho": "0.0001"})
    assert another.status_code == 200, "a line over time wants two charges"
    release = urlsplit(answered).path.rpartition("/")[2]
    listed = ada.get("/my/releases")
    assert f"/answers/{release}?project=tests" in listed.text
    assert "Number of rows and mean of Score by Local authority" in main_text(listed)
    budget = ada.get("/budget")
    assert "Budget spent over time" in budget.text
    assert "Somebody who tosses a coin" in main_text(budget)
    assert release in budget.text


def test_a_saved_question_is_ones_own_until_it_is_shared(site: Service, ada: Visitor) -> None:
    eve = visitor(site, "tests", name="eve")
    ada.walk(at("check", COUNT), [("do", "save"), ("name", "Pupils <by> area")])
    page = ada.get("/my/queries").text
    assert "Pupils &lt;by&gt; area" in page
    saved = re.findall(r'name="saved" value="(sq-[0-9a-f]+)"', page)[0]
    assert "Pupils" not in main_text(eve.get("/my/queries"))
    assert eve.service.client.get("/my/queries", headers=eve.headers).status_code == 200
    ada.walk("/my/queries", [("saved", saved), ("do", "share")])
    assert "Pupils &lt;by&gt; area" in eve.get("/my/queries").text
    eve.send("/my/queries", ("saved", saved), ("do", "forget"), status=404)
    assert eve.walk("/my/queries", [("saved", saved), ("do", "ask")]).startswith("/answers/rel-")
    ada.walk("/my/queries", [("saved", saved), ("do", "forget")])
    assert saved not in ada.get("/my/queries").text


def test_a_question_without_a_name_is_not_saved(ada: Visitor) -> None:
    refused = ada.send(at("check", COUNT), ("do", "save"), ("name", " "), status=422)
    assert 'href="#name"' in refused.text


def test_asked_again_of_a_new_version_both_answers_stand_side_by_side(site: Service, ada: Visitor) -> None:
    ada.walk(at("check", COUNT), [("do", "save"), ("name", "Every year")])
    saved = re.findall(r'name="saved" value="(sq-[0-9a-f]+)"', ada.get("/my/queries").text)[0]
    ada.walk("/my/queries", [("saved", saved), ("do", "ask")])
    cut = site.services.data_sets["school.census"].cut
    newer = replace(cut, version="2", engine=MemoryEngine({"census": pupils(9000)}))
    before = site.client.app.state.services  # type: ignore[attr-defined]
    site.client.app.state.services = replace(before, data_sets=hosted((newer,)))  # type: ignore[attr-defined]
    try:
        assert "New version of the data" in main_text(ada.get("/my/queries"))
        compared = ada.walk("/my/queries", [("saved", saved), ("do", "ask")])
        assert "/since/rel-" in compared
        said = main_text(ada.get(compared))
        beyond = re.findall(r"(\w+) Number of rows [\d,]+ [\d, to–]+ Yes", said)
        assert "Ashby" in beyond, "4,000 pupils and 9,000, all in one area"
        assert f"{len(beyond)} of 5 numbers differ" in said, "noise alone may carry another beyond its margins"
    finally:
        site.client.app.state.services = before  # type: ignore[attr-defined]


def test_the_sandbox_is_one_switch_that_changes_the_data_set_and_nothing_else(site: Service, ada: Visitor) -> None:
    cut = site.services.data_sets["school.census"].cut
    live = 'synthetic = false\nsynthetic_twin = "school"'
    text = school.CATALOGUE.replace('id = "school"', 'id = "real"').replace("synthetic = true", live)
    real = HostedCut(school.load_catalogue(text), "1", loaded(POLICY), MemoryEngine({"census": []}))
    before = site.client.app.state.services  # type: ignore[attr-defined]
    site.client.app.state.services = replace(before, data_sets=hosted((cut, real)))  # type: ignore[attr-defined]
    try:
        page = ada.get(at("rows", COUNT)).text
        switch = re.search(r'href="([^"]+)">Switch to the real data', page)
        assert switch
        there = switch[1].replace("&amp;", "&")
        assert there == at("rows", COUNT).replace("school.census", "real.census")
        assert "Switch to the synthetic twin" in ada.get(there).text
        dev = visitor(site, "tests", name="dev", role=Role.DEVELOPER)
        dev.get(there, 404)
        assert "Switch to the real data" not in dev.get(at("rows", COUNT)).text
        told = ada.walk(there.replace("/rows?", "/check?"), [("do", "ask")])
        path = urlsplit(told).path
        ada.get(f"{path}/download/csv")
        for address in (path, f"{path}/download/csv", f"{path}/chart/1", f"{path}/since/{path.rpartition('/')[2]}"):
            dev.get(address, 404)
    finally:
        site.client.app.state.services = before  # type: ignore[attr-defined]


def test_an_official_data_set_has_no_price_to_choose(site: Service, ada: Visitor) -> None:
    cut = replace(site.services.data_sets["school.census"].cut, policy=loaded(OPEN_OFFICIAL))
    before = site.client.app.state.services  # type: ignore[attr-defined]
    site.client.app.state.services = replace(before, data_sets=hosted((cut,)))  # type: ignore[attr-defined]
    try:
        page = ada.get(at("precision", COUNT)).text
        assert 'value="own"' not in page
        assert "ρ" not in page, "neither price nor budget"
        assert "Budgets of the data" not in ada.get("/budget").text
        assert "Nothing is charged" in ada.get(at("check", COUNT | {"groupBy": ["la", "year"]})).text
        assert "Logistic" not in main_text(ada.get(at("measures", COUNT)))
    finally:
        site.client.app.state.services = before  # type: ignore[attr-defined]
