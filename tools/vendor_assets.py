"""Takes the files of a package of GOV.UK Frontend that the pages need, and checks each against its known SHA-256.

    npm pack govuk-frontend@6.3.0
    python tools/vendor_assets.py govuk-frontend-6.3.0.tgz                  # the files that belong to this repository
    python tools/vendor_assets.py govuk-frontend-6.3.0.tgz --brand DIR      # fonts and crest, for a service on gov.uk
    python tools/vendor_assets.py govuk-frontend-6.4.0.tgz --accept         # another version, once looked at

Fonts and crest are not in this repository: their owners allow them on gov.uk alone.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent / "privacy_api" / "web" / "assets"
ASSETS = {
    "govuk-frontend.min.css": "package/dist/govuk/govuk-frontend.min.css",
    "govuk-frontend.min.js": "package/dist/govuk/govuk-frontend.min.js",
}
BRAND = {
    name.rsplit("/", 1)[1]: f"package/dist/govuk/assets/{name}"
    for name in (
        "fonts/light-94a07e06a1-v2.woff2",
        "fonts/light-f591b13f7d-v2.woff",
        "fonts/bold-b542beb274-v2.woff2",
        "fonts/bold-affa96571d-v2.woff",
        "images/govuk-crest.svg",
        "images/favicon.svg",
    )
}


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("package", type=Path, help="the .tgz of npm pack")
    given.add_argument("--brand", type=Path, metavar="DIR", help="put fonts and crest here (a home's brand directory)")
    given.add_argument("--accept", action="store_true", help="write the sums of this package down as the right ones")
    asked = given.parse_args()
    wanted, sums = (BRAND, HERE / "brand.sha256") if asked.brand else (ASSETS, HERE / "govuk-frontend" / "SHA256SUMS")
    with tarfile.open(asked.package) as package:
        contents = {name: _member(package, path) for name, path in wanted.items()}
    if asked.accept:
        sums.write_text("".join(f"{_sum(body)}  {name}\n" for name, body in contents.items()), encoding="utf-8")
    known = dict(reversed(line.split("  ")) for line in sums.read_text(encoding="utf-8").splitlines())
    if wrong := [name for name, body in contents.items() if known.get(name) != _sum(body)]:
        sys.stderr.write(f"not as {sums.name} says, so nothing was written: {', '.join(wrong)}\n")
        return 1
    target = asked.brand or sums.parent
    target.mkdir(parents=True, exist_ok=True)
    for name, body in contents.items():
        (target / name).write_bytes(body)
    return 0


def _member(package: tarfile.TarFile, path: str) -> bytes:
    found = package.extractfile(path)
    if found is None:
        raise SystemExit(f"{path}: not a file of this package")
    return found.read()


def _sum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
