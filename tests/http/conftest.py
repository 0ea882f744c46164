from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.service import Service, pupils, running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, [*pupils(4000), *pupils(3, la=4, first=10_000)]) as made:
        yield made
