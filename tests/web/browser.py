"""A real browser on a real server: what a page loads, says on its console, and is to people who cannot see it.

`PRIVACY_API_TEST_SCREENSHOTS=DIR` keeps a picture of each page that is looked at.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


class Scripts(Enum):
    """OFF: none run. EMPTY: they come and do nothing, so that axe, itself a script, sees the page as it is without."""

    ON = "scripts"
    OFF = "no-scripts"
    EMPTY = "empty-scripts"


WIDTHS = (1280, 320)
"""Pixels: a desk, and what 1280 are to somebody who reads at 400 % (WCAG 1.4.10)."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's, with a profile of its own that is thrown away."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("these tests need a browser: apt-get install -y chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The app on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@dataclass
class Watched:
    """A page, what it complained of, and what it asked of other hosts. allowed: statuses that are not complained of."""

    page: Page
    url: str
    scripts: Scripts = Scripts.ON
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    allowed: frozenset[int] = frozenset()

    def go(self, path: str, status: int = 200) -> Page:
        self.allowed |= {status}
        response = self.page.goto(self.url + path)
        assert response is not None
        assert response.status == status, f"{path}: {response.status}"
        return self.page

    def hear(self, message: ConsoleMessage) -> None:
        refused = re.search(r"responded with a status of (\d+)", message.text)
        if message.type in ("error", "warning") and not (refused and int(refused[1]) in self.allowed):
            self.errors.append(f"{message.type}: {message.text}")

    def ask(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.foreign.append(request.url)

    def assert_quiet(self) -> None:
        assert not self.errors, self.errors
        assert not self.foreign, self.foreign


@contextmanager
def watched(browser: Browser, url: str, scripts: Scripts = Scripts.ON) -> Iterator[Watched]:
    """A fresh visitor; what went wrong in any page of the visit fails the test at its end."""
    size = {"width": WIDTHS[0], "height": 900}
    with browser.new_context(java_script_enabled=scripts is not Scripts.OFF, viewport=size) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(15_000)
        if scripts is Scripts.EMPTY:
            page.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        visit = Watched(page, url, scripts)
        context.on("console", visit.hear)
        context.on("weberror", lambda error: visit.errors.append(str(error.error)))
        context.on("request", visit.ask)
        yield visit
        visit.assert_quiet()


def assert_accessible(page: Page, name: str = "", widths: Sequence[int] = WIDTHS) -> None:
    """At each width: no violation that axe knows, no sideways scrolling; and one heading, which the title begins with.
    It needs a browser that runs scripts."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        found = _violations(page)
        assert not found, f"{page.url} at {width}: {found}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} scrolls sideways by {wide} at {width}"
        _picture(page, f"{name or urlsplit(page.url).path}-{width}")
        assert width < WIDTHS[0] or _lines(page, ".govuk-service-navigation__item") <= 1, (
            f"{page.url}: two lines at the head"
        )
    headings = page.locator("h1").all_inner_texts()
    assert len(headings) == 1, f"{page.url}: {headings}"
    assert page.title().removeprefix("Error: ").startswith(headings[0].strip()), f"{page.title()!r}, {headings[0]!r}"
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})


def _lines(page: Page, items: str) -> int:
    """That these take up, side by side."""
    found: int = page.evaluate(
        "(items) => new Set([...document.querySelectorAll(items)].map(e => e.offsetTop)).size", items
    )
    return found


def _violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    found: list[str] = page.evaluate(
        "(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"
        ".then(r => r.violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html).join(' | ')}`))",
        RULES,
    )
    return found


def _picture(page: Page, name: str) -> None:
    if folder := os.environ.get("PRIVACY_API_TEST_SCREENSHOTS"):
        plain = re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_") or "start"
        page.screenshot(path=Path(folder) / f"{plain}.png", full_page=True)
