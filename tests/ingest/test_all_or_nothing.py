"""A version appears whole or not at all, whatever ends the run."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from datasets.ingest import IngestFailed, IngestRefused, ingest, list_cuts, open_current
from tests.ingest.builders import CATALOGUE, CENSUS, Workplace, changed, tiny


class Stop:
    """A progress that ends the run at a step."""

    def __init__(self, at: str, how: type[BaseException]) -> None:
        self.at, self.how = at, how

    def step(self, name: str, done: int, total: int) -> None:
        if name == self.at:
            raise self.how("planned")


class Told:
    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int]] = []

    def step(self, name: str, done: int, total: int) -> None:
        self.steps.append((name, done, total))


def test_progress_is_told_from_none_to_all(work: Workplace) -> None:
    told = Told()
    ingest(tiny(), CATALOGUE, work.files(), work.cuts, told)
    total = len(told.steps) - 1
    assert [(done, of) for _, done, of in told.steps] == [(i, total) for i in range(total + 1)]
    assert told.steps[0][0] == "read census census.csv" and told.steps[-1][0] == "published"


@pytest.mark.parametrize("published_before", [False, True])
def test_a_refusal_leaves_nothing(work: Workplace, published_before: bool) -> None:
    if published_before:
        work.ingest(work.files())
    sources = work.files(changed(CENSUS, 0, sex="wrong"))
    before = work.listing()
    with pytest.raises(IngestRefused):
        work.ingest(sources)
    assert work.listing() == before


@pytest.mark.parametrize(
    "step", ["read exams exams.csv", "code census", "check exams", "write exams", "verify exams", "publish"]
)
@pytest.mark.parametrize("how", [KeyboardInterrupt, RuntimeError])
def test_an_exception_leaves_nothing(work: Workplace, step: str, how: type[BaseException]) -> None:
    sources = work.files()
    before = work.listing()
    with pytest.raises(how):
        ingest(tiny(), CATALOGUE, sources, work.cuts, Stop(step, how))
    assert work.listing() == before


def _run(work: Workplace, prelude: str) -> subprocess.CompletedProcess[str]:
    work.files()
    program = textwrap.dedent(prelude) + textwrap.dedent("""
        import sys
        from pathlib import Path
        from tests.ingest.builders import CATALOGUE, tiny
        from datasets.ingest import IngestFailed, ingest
        sources, cuts = map(Path, sys.argv[1:])
        try:
            ingest(tiny(), CATALOGUE, {k: [sources / f"{k}.csv"] for k in ("census", "exams")}, cuts, progress)
        except IngestFailed as failed:
            sys.exit(str(failed))
    """)
    command = [sys.executable, "-c", program, str(work.sources), str(work.cuts)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


KEPT = ("parts", "ranks.secret", "units.duckdb")
KILL = """
    import os, signal
    class Kill:
        def step(self, name, done, total):
            if name == "check exams":
                os.kill(os.getpid(), signal.SIGKILL)
    progress = Kill()
"""


def test_what_a_killed_run_leaves_is_no_cut_and_the_next_run_removes_it(work: Workplace) -> None:
    killed = _run(work, KILL)
    assert killed.returncode == -signal.SIGKILL
    home = work.cuts / "tiny"
    assert [*home.glob(".build-*")] and list_cuts(work.cuts) == ()
    published = work.ingest(work.files())
    assert sorted(p.name for p in home.iterdir()) == sorted(["1", "current", *KEPT])
    assert open_current(work.cuts, "tiny", check=True) == published


def test_a_killed_run_leaves_the_current_version_alone(work: Workplace) -> None:
    first = work.ingest(work.files())
    _run(work, KILL)
    assert open_current(work.cuts, "tiny", check=True) == first
    assert work.ingest(work.files()).version == "2"


def test_a_full_disk_leaves_nothing(work: Workplace) -> None:
    """A limit on file size stands in for the disk: writing fails in the same place."""
    work.files()
    before = work.listing()
    full = _run(
        work,
        """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        progress = None
        """,
    )
    assert (full.returncode, full.stdout) == (1, "")
    assert "disk is full" in full.stderr and "P1" not in full.stderr
    assert work.listing() == before


def test_two_runs_for_one_cut_do_not_meet(work: Workplace) -> None:
    home = work.cuts / "tiny"
    home.mkdir(parents=True)
    (home / ".build-other").mkdir()
    descriptor = os.open(home, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(IngestFailed, match="another ingest"):
            work.ingest(work.files())
        assert [p.name for p in home.iterdir()] == [".build-other"]
    finally:
        os.close(descriptor)


def test_the_text_must_be_the_catalogue_s(work: Workplace) -> None:
    with pytest.raises(ValueError, match="catalogue_text"):
        ingest(tiny(), CATALOGUE + "\n", work.files(), work.cuts)
