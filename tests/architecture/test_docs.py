"""What the documents point at is there: pages, their headings, files, tests, data sets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from datasets.validate import Limits, validate
from privacy_api.cli import app
from privacy_api.openapi.examples import CHECKED, EXAMPLES
from privacy_api.wire.query_in import read_query

ROOT = Path(__file__).parents[2]
PAGES = sorted(p.relative_to(ROOT).as_posix() for p in (*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/**/*.md")))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([^`]+)`")
OF_A_CUT = {"parts/"}
"""Not of the house: the folder that ingest keeps."""
A_FILE = re.compile(r"[\w*-]+(/[\w*.-]+)*(/|\.(py|toml|md|css|jinja))")


def text_of(page: Path) -> str:
    """Without what is quoted as code over several lines."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """As a forge makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", LINK.sub("", heading).lower()).strip().replace(" ", "-") for heading in headings}


def lost(page: Path) -> Iterator[str]:
    for target in LINK.findall(text_of(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            yield target


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    assert list(lost(ROOT / page)) == []


def cited(line: str) -> Iterator[tuple[str, bool]]:
    """Each file or folder that a row names, and whether it is there: from the root, or beside one named before it."""
    bases = [ROOT]
    for name in QUOTED.findall(line):
        if A_FILE.fullmatch(name) and name not in OF_A_CUT:
            found = next((hit for base in bases for hit in base.glob(name.rstrip("/"))), None)
            yield name, found is not None
            if found is not None:
                bases = [*([found] if found.is_dir() else []), *(p for p in found.parents if ROOT in (p, *p.parents))]


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/design.md"])
def test_every_file_of_the_house_is_where_it_is_said_to_be(page: str) -> None:
    rows = re.split(r"\n(?=[|*#\n])", text_of(ROOT / page))
    found = [each for row in rows for each in cited(row)]
    assert len(found) > 40
    assert [name for name, there in found if not there] == []


def test_example_bodies_can_be_asked_of_the_catalogue() -> None:
    catalogue = load_catalogue(bundle(ROOT / "datasets" / "npd"))
    census = catalogue.data_set("census")
    assert census is not None
    everything = frozenset(variable.granted_as or variable.name for variable in census.variables)
    for name, body in {**{n: e["value"] for n, e in EXAMPLES.items()}, "checked": CHECKED["value"]["query"]}.items():
        assert validate(read_query(body, "npd.census"), census, everything, Limits(50_000, 8)).quantities, name


def commands(page: Path) -> list[str]:
    """Lines of code that run our program, and what is quoted of it in a sentence."""
    whole = page.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = "\n".join(re.findall(r"^```.*?\n(.*?)^```", whole, flags=re.DOTALL | re.MULTILINE))
    lines = re.findall(r"(?:^|[\s(/])(privacy-api .*)$", blocks, flags=re.MULTILINE)
    return [re.split(r"\s#|[|&;)]", line)[0] for line in [*lines, *re.findall(r"`(privacy-api[^`]*)`", text_of(page))]]


def faults_of(line: str, command: Any) -> list[str]:
    """Words that are no command where they stand, and options that the command does not have."""
    words = line.split()[1:]
    while words and re.fullmatch(r"[a-z][a-z-]*", words[0]) and (inner := getattr(command, "commands", None)):
        if words[0] not in inner:
            return [words[0]]
        command = inner[words.pop(0)]
    options = {"--help", *(name for each in command.params for name in (*each.opts, *each.secondary_opts))}
    return sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", line)) - options)


def test_every_command_in_the_documents_is_one() -> None:
    found = [(page, line) for page in PAGES for line in commands(ROOT / page)]
    program = get_command(app)
    assert len(found) > 60
    assert {line: faults for _, line in found if (faults := faults_of(line, program))} == {}
    assert faults_of("privacy-api ledger mend", program) == ["mend"]
    assert faults_of("privacy-api serve --home HOME --quietly", program) == ["--quietly"]


def test_data_sets_in_the_documents_are_those_of_the_catalogue() -> None:
    known = {page.stem for page in (ROOT / "docs" / "npd").glob("*.md")}
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        named = re.findall(r"\b(?:data-sets/|(?:query|meta|preview)\(\s*\"|/ask/[\w-]+/)([\w-]+)\.(\w+)\b", text)
        assert {
            (cut, name) for cut, name in named if not (cut in ("npd", "npd-synthetic") and name in known)
        } == set(), page
