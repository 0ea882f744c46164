"""Style, scripts and pictures, read once at the start and served from memory under names that change with them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from privacy_api.settings import Brand, SettingsRefused

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
FROM_GOVUK = ("govuk-frontend.min.css", "govuk-frontend.min.js")
OURS = ("pages.css", "enabled.js", "init.js", "ask.js", "favicon.svg")
_FONT_FACES = re.compile(r"/\*! Copyright[^*]*\*/|@font-face\{[^}]*\}")
_UPSTREAM = re.compile(r"/assets/(?:fonts|images)/")
_SOURCE_MAP = re.compile(r"/[*/]# sourceMappingURL=\S+(?: \*/)?\s*$")


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """digest: of all the files, so that a page never meets the style of another version."""

    brand: Brand
    files: Mapping[str, Asset]
    digest: str

    def url(self, name: str) -> str:
        if name not in self.files:
            raise KeyError(name)
        return f"/static/{self.digest}/{name}"


@cache
def load_assets(brand: Brand = Brand.NEUTRAL, brand_files: Path | None = None) -> Assets:
    """brand_files: where fonts and crest may lie for the GOV.UK brand; without them its pages are set in Arial."""
    of_brand = _of_brand(brand_files) if brand is Brand.GOVUK and brand_files and brand_files.is_dir() else {}
    packed = files("privacy_api.web").joinpath("assets")
    bodies = {name: packed.joinpath("govuk-frontend", name).read_bytes() for name in FROM_GOVUK}
    bodies = {name: _adapted(body, bool(of_brand)) for name, body in bodies.items()}
    bodies |= {name: packed.joinpath(name).read_bytes() for name in OURS} | of_brand
    digest = hashlib.sha256(b"".join(hashlib.sha256(bodies[name]).digest() for name in sorted(bodies)))
    found = {name: Asset(body, MEDIA_TYPES[Path(name).suffix]) for name, body in bodies.items()}
    return Assets(brand, found, digest.hexdigest()[:16])


def _of_brand(folder: Path) -> dict[str, bytes]:
    """Exactly the files of the known package, or no start: they are served as they are."""
    text = files("privacy_api.web").joinpath("assets", "brand.sha256").read_text(encoding="utf-8")
    found = {}
    for line in text.splitlines():
        wanted, name = line.split("  ")
        body = (folder / name).read_bytes() if (folder / name).is_file() else b""
        if hashlib.sha256(body).hexdigest() != wanted:
            raise SettingsRefused(
                f"{folder / name}: not the file of the GOV.UK brand that tools/vendor_assets.py makes"
            )
        found[name] = body
    return found


def _adapted(body: bytes, with_brand: bool) -> bytes:
    """The files as they are published, with our addresses; and without what may be shown on gov.uk alone."""
    text = _SOURCE_MAP.sub("", body.decode())
    if not with_brand:
        text = (
            _FONT_FACES.sub("", text)
            .replace("GDS Transport,", "")
            .replace("url(/assets/images/govuk-crest.svg)", "none")
        )
    return _UPSTREAM.sub("", text).encode()
