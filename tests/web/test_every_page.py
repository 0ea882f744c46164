"""Every page in a real browser, with scripts and without; none that is not looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from privacy_api.app import PAGES
from privacy_api.web.pages_base import Pages
from tests.web.browser import WIDTHS, Scripts, assert_accessible, chromium, watched
from tests.web.examples import EXAMPLES, FURTHER, NO_PAGES
from tests.web.sites import SITES, Site

ALL = {**EXAMPLES, **FURTHER}
Open = Callable[[str], Site]


def test_every_page_has_an_example() -> None:
    """Whoever adds a page adds it to tests/web/examples.py. Where forms are sent to, and ways on, show nothing."""
    routers = [module.router for module in PAGES if isinstance(module.router, Pages)]
    routes = {route.path for router in routers for route in router.routes if "HEAD" in route.methods}  # type: ignore[attr-defined]
    assert routes == set(EXAMPLES) | NO_PAGES


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Each is made when it is first wanted."""
    with ExitStack() as stack:
        made: dict[str, Site] = {}

        def opened(name: str) -> Site:
            if name not in made:
                made[name] = stack.enter_context(SITES[name](tmp_path_factory.mktemp(name)))
            return made[name]

        yield opened


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scripts", [Scripts.ON, Scripts.EMPTY], ids=lambda s: s.value)
@pytest.mark.parametrize("name", ALL)
def test_it_is_for_everybody(browser: Browser, site: Open, name: str, scripts: Scripts) -> None:
    place = site(ALL[name].site)
    with watched(browser, place.url, scripts) as visit:
        page = ALL[name].seen(place, visit)
        widths = WIDTHS if scripts is Scripts.ON else WIDTHS[-1:]
        assert_accessible(page, f"{name}-{scripts.value}", widths)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", ALL)
def test_it_is_there_where_no_script_runs(browser: Browser, site: Open, name: str) -> None:
    place = site(ALL[name].site)
    with watched(browser, place.url, Scripts.OFF) as visit:
        page = ALL[name].seen(place, visit)
        assert page.locator("h1").is_visible()
        assert page.locator("main p:visible, main a:visible, main button:visible").count()


@pytest.mark.slow
@pytest.mark.browser
def test_the_tools_see_what_is_wrong(browser: Browser, site: Open) -> None:
    """The positive control: each complaint that the tests rest on is made, of a page that deserves it."""
    url = site("demo").url
    with pytest.raises(AssertionError, match="image-alt"), watched(browser, url) as visit:
        page = visit.go("/")
        page.evaluate("document.querySelector('main').append(new Image())")
        assert_accessible(page)
    with pytest.raises(AssertionError, match="sideways"), watched(browser, url) as visit:
        page = visit.go("/")
        page.evaluate("document.querySelector('h1').style.width = '400px'")
        assert_accessible(page)
    with pytest.raises(AssertionError, match="inline"), watched(browser, url) as visit:
        page = visit.go("/")
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">red</p>')")
    with pytest.raises(AssertionError, match=r"other\.example"), watched(browser, url) as visit:
        page = visit.go("/")
        page.evaluate("document.location = 'http://other.example/'")
        page.wait_for_timeout(200)
