"""A TOML table that knows its path, collects problems, and remembers which of its keys were asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Table:
    def __init__(self, raw: Any, path: str, problems: list[str]) -> None:
        self.path, self.problems, self._known = path, problems, set[str]()
        self._raw: dict[str, Any] = raw if isinstance(raw, dict) else {}
        if not isinstance(raw, dict):
            self.refuse("", "wants a table")

    def refuse(self, key: str, why: str) -> None:
        where = ".".join(p for p in (self.path, key) if p)
        self.problems.append(f"{where}: {why}")

    def get(self, key: str, kind: type | tuple[type, ...], what: str, default: Any = ...) -> Any:
        """The value of a key. A missing one is a problem unless there is a default; so is one of another kind."""
        self._known.add(key)
        value = self._raw.get(key, default)
        if value is ...:
            self.refuse(key, f"missing; wants {what}")
            return None
        if key in self._raw and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            self.refuse(key, f"wants {what}")
            return None if default is ... else default
        return value

    def text(self, key: str, what: str = "a text", default: Any = ...) -> str:
        """A text; an empty one is as good as none, so it is a problem where there is no default."""
        found = self.get(key, str, what, default)
        if found == "" and default is ...:
            self.refuse(key, f"wants {what}")
        return str(found or "")

    def flag(self, key: str, default: Any = ...) -> bool:
        return bool(self.get(key, bool, "true or false", default))

    def table(self, key: str, raw: Any) -> Table:
        """A table inside this one, under the path of its key."""
        return Table(raw, f"{self.path}.{key}" if self.path else key, self.problems)

    def tables(self, key: str) -> dict[str, Table]:
        found = self.get(key, dict, "tables", {})
        return {name: self.table(f"{key}.{name}", raw) for name, raw in found.items()}

    def has(self, key: str) -> bool:
        return key in self._raw

    def close_with(self, known: Iterable[str]) -> None:
        """Close a table whose keys are names of something."""
        self._known |= set(known)
        self.close()

    def close(self) -> None:
        """Report the keys that nobody asked for."""
        for key in sorted(self._raw.keys() - self._known):
            self.refuse(key, f"unknown; known are {', '.join(sorted(self._known))}")
