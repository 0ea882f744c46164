"""What the tables of every area are declared with."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

BIG = BigInteger().with_variant(Integer, "sqlite")
"""64 bits in both; SQLite looks a row up directly only when its key is declared INTEGER."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
