"""The record of checked outputs in the service database."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Engine, insert, select

from privacy_api.ports import OutputCheck
from privacy_api.stores.database import reading, writing
from privacy_api.stores.schema import output_checks

_columns = tuple(output_checks.c[name] for name in OutputCheck.__dataclass_fields__)


class SqlOutputChecks:
    """The port `OutputChecks`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, check: OutputCheck) -> None:
        with writing(self._engine) as connection:
            connection.execute(insert(output_checks).values(**asdict(check)))

    def checks(self, last: int) -> list[OutputCheck]:
        newest = select(*_columns).order_by(output_checks.c.number.desc()).limit(last)
        with reading(self._engine) as connection:
            return [OutputCheck(*row) for row in connection.execute(newest)][::-1]
