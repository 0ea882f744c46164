"""`demo` as a newcomer runs it: one command, an address, an answer, and an end without noise."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

pytestmark = pytest.mark.slow
PATIENCE = 120.0
"""Seconds after which a demonstration that says nothing is killed, so that its test fails instead of hanging."""
QUESTION = {"measures": [{"statistic": "count"}], "groupBy": ["REG", "fsm_eligible"]}


@dataclass
class Demo:
    """A running demonstration. seconds: how long it took until it said where it is."""

    process: subprocess.Popen[str]
    said: str
    seconds: float

    @property
    def place(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.said)
        return found

    def ask(self, key: str = "") -> httpx2.Response:
        url = f"{self.place['url']}/v1/data-sets/{self.place['dataSet']}/query"
        return httpx2.post(url, json=QUESTION, headers={"Authorization": f"Bearer {key or self.place['key']}"})

    def stop(self) -> tuple[int, str, str]:
        """As Ctrl+C does: exit code, what else it printed, and its standard error."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


Start = Callable[..., Demo]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PRIVACY_API_")}
    with ExitStack() as stack:

        def started(home: Path, *options: str, last: str = "{") -> Demo:
            """last: how the last line of what it says begins."""
            command = [sys.executable, "-m", "privacy_api", "demo", "--dir", str(home), *options]
            began = time.monotonic()
            process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            stack.callback(process.communicate)
            stack.callback(process.kill)
            watchdog = threading.Timer(PATIENCE, process.kill)
            watchdog.start()
            said = ""
            assert process.stdout is not None
            for line in process.stdout:
                said += line
                if line.startswith(last):
                    break
            watchdog.cancel()
            assert said, "it ended before it said anything"
            return Demo(process, said, time.monotonic() - began)

        yield started


@pytest.fixture(scope="module")
def port() -> int:
    return free_pair()


def free_pair() -> int:
    """A port that is free now, as is the one after it."""
    for _ in range(100):
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            found = int(one.getsockname()[1])
            try:
                two.bind(("127.0.0.1", found + 1))
            except OSError:
                continue
            return found
    raise AssertionError("no two free ports in a row")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def demo(start: Start, home: Path, port: int) -> Demo:
    return start(home, "--json", "--port", str(port))


def test_one_json_line_says_where_it_is(demo: Demo, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    assert demo.said.count("\n") == 1
    key = demo.place["key"]
    assert demo.place == {"url": url, "key": key, "dataSet": "npd-synthetic.census", "web": url}
    assert key.startswith("npd_test_")
    assert demo.seconds < 60


def test_it_answers(demo: Demo) -> None:
    answer = demo.ask()
    body = answer.json()
    assert answer.status_code == 200
    assert body["dataSet"]["synthetic"] is True
    assert len(body["results"]) == 9 * 2
    assert answer.headers["X-Data-Provenance"] == "synthetic"
    assert 35_000 < pupils(body) < 50_000, "of 50,000 pupils those on a roll in the spring of the year"
    assert demo.ask("npd_test_aaaaaaaa_" + "a" * 43).status_code == 401


def test_its_files_are_released_as_any_are(demo: Demo) -> None:
    (release,) = httpx2.get(f"{demo.place['url']}/v1/synthetic/releases").json()["results"]
    assert (release["tier"], release["pupils"], release["signatures"]) == ("T1", 50_000, 1)
    (census,) = (table for table in release["tables"] if table["name"] == "census")
    rows = list(csv.DictReader(io.StringIO(httpx2.get(demo.place["url"] + census["links"]["csv"]).text)))
    assert len(rows) == census["rows"] > 35_000
    assert {row["is_synthetic"] for row in rows} == {"true"}


def pupils(body: dict[str, list[dict[str, float | None]]]) -> float:
    return sum(row["value"] or 0 for row in body["results"])


def test_the_reference_page_asks_no_other_host(demo: Demo) -> None:
    page = httpx2.get(demo.place["web"] + "/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)""", page.text)
    assert {Path(link).suffix for link in links} == {".css", ".js"}
    here = urlsplit(demo.place["url"]).netloc
    assert all(urlsplit(urljoin(demo.place["web"] + "/docs", link)).netloc == here for link in links), links
    assets = {link: httpx2.get(urljoin(demo.place["web"] + "/docs", link)) for link in links}
    assert all(a.status_code == 200 and a.content for a in assets.values())
    assert {a.headers["content-type"].split(";")[0] for a in assets.values()} == {"text/css", "text/javascript"}
    assert max(len(a.content) for a in assets.values()) > 1_000_000, "the reference itself, not a stub that loads it"
    loaded = [page.text, *(a.text for link, a in assets.items() if "bundle" not in link)]
    hosts = {host for text in loaded for host in re.findall(r"//([\w.-]+\.\w+)", comments_removed(text))}
    assert hosts <= {"www.w3.org"}, "which is part of a name, in pictures of the style sheet, and never fetched"

    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    sources = {source for part in policy.split(";") for source in part.split()[1:]}
    assert sources == {"'none'", "'self'", "'unsafe-inline'", "data:"}, "the browser asks no other host, whatever loads"
    document = httpx2.get(f"{demo.place['url']}/openapi.json").json()
    assert "/v1/data-sets/{data_set}/query" in document["paths"]
    assert "servers" not in document


def comments_removed(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def test_it_stops_and_starts_again_where_it_was(demo: Demo, start: Start, home: Path, port: int) -> None:
    first = demo.ask().json()
    files = {p: p.stat().st_mtime_ns for p in (home / "cuts").rglob("*")}
    code, out, err = demo.stop()
    assert (code, out) == (0, "")
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "stopped"
    with pytest.raises(httpx2.TransportError):
        demo.ask()

    again = start(home, "--json", "--port", str(port))
    if again.seconds > demo.seconds:  # the machine may have been busy: once more
        again.stop()
        again = start(home, "--json", "--port", str(port))
    assert again.seconds < demo.seconds
    assert {p: p.stat().st_mtime_ns for p in (home / "cuts").rglob("*")} == files, "nothing is built a second time"
    kept = sorted(p.name for p in (home / "cuts" / "npd-synthetic").iterdir())
    assert kept == ["1", "current", "parts", "ranks.secret", "units.duckdb"], "one version, and what it is made of"
    assert again.place["url"] == demo.place["url"]
    body = again.ask().json()
    assert body["dataSet"] == first["dataSet"], "the same version of the same cut"
    assert (body["results"], body["charge"]["nanoRho"]) == (first["results"], 0)
    assert again.ask(demo.place["key"]).status_code == 401, "each run has a key of its own"
    assert again.stop()[0] == 0


def test_a_taken_port_is_passed_over(start: Start, home: Path) -> None:
    taken = free_pair()
    with socket.socket() as other:
        other.bind(("127.0.0.1", taken))
        other.listen()
        demo = start(home, "--json", "--port", str(taken))
        assert demo.place["url"] == f"http://127.0.0.1:{taken + 1}"
        assert demo.ask().status_code == 200
        assert demo.stop()[0] == 0


def test_what_it_tells_people_to_paste_works(start: Start, home: Path, root: Path) -> None:
    demo = start(home, "--port", str(free_pair()), last="Kept in ")
    assert f"Kept in {home}." in demo.said
    (curl,) = [line for line in demo.said.splitlines() if line.startswith("curl ")]
    pasted = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True, timeout=60)
    rows = list(csv.DictReader(io.StringIO(pasted.stdout)))
    assert len(rows) == 9 * 2
    assert {row["measure"] for row in rows} == {"count"}
    assert all(float(row["lower"]) <= float(row["value"]) <= float(row["upper"]) for row in rows if row["value"])
    assert any(row["value"] for row in rows)

    python = demo.said[demo.said.index("from privacy_api_client") : demo.said.index("Kept in ")]
    environ = os.environ | {"PYTHONPATH": str(root / "clients" / "python")}
    command = [sys.executable, "-c", python]
    pasted = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environ)
    assert rows[0]["value"] in pasted.stdout
    code, _, err = demo.stop()
    assert (code, "Traceback" in err) == (0, False)


def test_reset_starts_from_nothing(start: Start, home: Path) -> None:
    demo = start(home, "--json", "--reset", "--pupils", "1000", "--port", str(free_pair()))
    body = demo.ask().json()
    assert body["charge"]["nanoRho"] > 0, "nobody asked before, though in the tests above it was free"
    assert pupils(body) < 25_000, "a thousand, where 50,000 were before"
    assert demo.stop()[0] == 0
