"""The head of a catalogue as its synthetic twin has it: another id, and the word synthetic; everything else stays."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from synthetic.npd.subset import dump

_HEAD = re.compile(r"^\[cut\]\n.*?(?=^\[|\Z)", re.MULTILINE | re.DOTALL)


def as_twin(text: str) -> str:
    """The text of a cut.toml. One that is synthetic already is left as it is."""
    cut: dict[str, Any] = tomllib.loads(text)["cut"]
    if cut["synthetic"]:
        return text
    kept = {k: v for k, v in cut.items() if k != "synthetic_twin"}
    told = {
        "id": cut.get("synthetic_twin") or f"{cut['id']}-synthetic",
        "title": f"{cut['title']}, synthetic",
        "synthetic": True,
    }
    head = dump(kept | told, ("cut",))
    return _HEAD.sub(lambda _: head, text, count=1)
