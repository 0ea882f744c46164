"""A build of the service for tests: the real one, with the places where a bug can be planted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from datasets.engines.memory import MemoryEngine, Row
from disclosure.noise import NoiseSource, add_noise
from privacy_api.ports import Engine
from privacy_api.stores.ledger import SqlLedger
from tests.lib.service import Service, running


def as_it_is(engine: Engine) -> Engine:
    return engine


def forget() -> None:
    """Empty every cache of ours: what was made with a bug must not be used without it, nor the other way round."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("privacy_api", "datasets", "disclosure"):
            for value in list(vars(module).values()):
                if callable(getattr(value, "cache_clear", None)):
                    value.cache_clear()


@dataclass(frozen=True)
class Build:
    """Honest unless said otherwise. patches: full name of a function → what stands in its place."""

    noise: NoiseSource = add_noise
    ledger: type[SqlLedger] = SqlLedger
    engine: Callable[[Engine], Engine] = as_it_is
    patches: Mapping[str, object] = field(default_factory=dict)

    @contextmanager
    def planted(self) -> Iterator[None]:
        with ExitStack() as stack:
            forget()
            stack.callback(forget)
            for name, replacement in self.patches.items():
                stack.enter_context(patch(name, replacement))
            stack.enter_context(patch("privacy_api.bootstrap.SqlLedger", self.ledger))
            yield

    @contextmanager
    def service(
        self,
        home: Path,
        rows: Sequence[Row] = (),
        engine: Engine | None = None,
        noise: NoiseSource | None = None,
        **parts: Any,
    ) -> Iterator[Service]:
        home.mkdir(exist_ok=True)
        made = self.engine(engine or MemoryEngine({"census": list(rows)}))
        with self.planted(), running(home, engine=made, noise=noise or self.noise, **parts) as service:
            yield service
