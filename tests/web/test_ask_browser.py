"""The builder in a real browser, from its first step to chart and CSV, with scripts and without."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.web.browser import Scripts, assert_accessible, chromium, watched
from tests.web.sites import Site, demo_site

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with demo_site(tmp_path_factory.mktemp("ask")) as made:
        yield made


@pytest.mark.parametrize("scripts", [Scripts.ON, Scripts.OFF], ids=lambda s: s.value)
def test_from_the_first_step_to_chart_and_csv(browser: Browser, site: Site, scripts: Scripts) -> None:
    with watched(browser, site.url, scripts) as visit:
        site.sign_in(visit.page.context)
        page = visit.go("/ask")
        page.get_by_role("link", name="School census").click()
        _who(page)
        _rows(page, scripts)
        _measure(page)
        page.get_by_role("radio", name="Four times that").check()
        page.get_by_role("button", name="Continue").click()
        said = page.locator("main").inner_text()
        assert "Region" in said
        assert "Eligible" in said
        page.get_by_role("button", name="Ask").click()
        assert page.locator("svg [data-part=bar]").count() > 8
        assert page.locator("svg [data-part=interval]").count() > 8
        assert page.locator(".app-answer tbody tr").count() >= 9
        with page.expect_download() as downloading:
            page.get_by_role("link", name="CSV", exact=True).click()
        rows = list(csv.DictReader(io.StringIO(Path(downloading.value.path()).read_text())))
        assert {row["measure"] for row in rows} == {"percentage_fsm_Y"}
        assert len({row["la.region"] for row in rows} - {""}) == 9
        if scripts is Scripts.ON:
            assert_accessible(page)
            _tabs(page)


def _who(page: Page) -> None:
    page.get_by_label("Add a condition on").select_option("fsm")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("checkbox", name="Eligible", exact=True).check()
    page.get_by_role("checkbox", name="Not eligible").check()
    page.get_by_role("button", name="Continue").click()
    assert "Eligible or Not eligible" in page.locator("#so-far").inner_text()
    page.get_by_role("button", name="Continue").click()


def _rows(page: Page, scripts: Scripts) -> None:
    page.get_by_label("Rows by").select_option("la.region")
    if scripts is Scripts.ON:
        page.locator("#so-far [data-fact=cells]", has_text="9").wait_for()
    page.get_by_role("button", name="Update and choose totals").click()
    page.get_by_role("checkbox", name="The grand total").check()
    page.get_by_role("button", name="Continue").click()


def _measure(page: Page) -> None:
    page.get_by_role("radio", name="Percentage").check()
    page.get_by_role("button", name="Add").click()
    page.get_by_label("Of what?").select_option("fsm")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("checkbox", name="Eligible", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()


def _tabs(page: Page) -> None:
    page.get_by_role("tab", name="Python").click()
    assert page.locator("#code-python").is_visible()
    assert not page.locator("#code-curl").is_visible()
