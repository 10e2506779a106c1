"""The wheel of the engine that runs: made again from its installed files, with the bytes of the released one.

So a project gets the very version that its author has tried, without an index or a download. Files are compared with
the hashes that the installer wrote down: an installation that somebody changed would be another program under the same
version.
"""

from __future__ import annotations

import csv
from importlib import metadata
from pathlib import Path, PurePosixPath

from amplify_delivery.delivery import pages
from amplify_delivery.delivery.scaffold.wheels.packing import Wheel, packed, record_hash
from amplify_delivery.errors import SetupError

DISTRIBUTION = "amplify-delivery"
PACKAGE = "amplify_delivery"
_AGAIN = "install it again (`pip install --force-reinstall --no-deps WHEEL`)"


def installed_wheel() -> Wheel:
    """The wheel of the installed distribution. Raises `SetupError` when its files are not what was installed."""
    try:
        found = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise SetupError(
            "it is not installed, but runs from a folder",
            where=DISTRIBUTION,
            remedy="install its wheel, or in a checkout `make environment`",
        ) from None
    files = _recorded(found)
    if f"{PACKAGE}-{found.version}.dist-info/METADATA" not in files:
        raise SetupError("its installer has recorded no files", where=DISTRIBUTION, remedy=_AGAIN)
    if f"{PACKAGE}/__init__.py" not in files:
        # Of an editable installation the pages alone are recorded, as they were when it was made.
        recorded = {path: content for path, content in files.items() if not path.startswith(f"{PACKAGE}/")}
        files = recorded | _sources(Path(__file__).parents[3])
    return packed(PACKAGE, found.version, files)


def _recorded(found: metadata.Distribution) -> dict[str, bytes]:
    """The files that the installer recorded, byte code and what lies outside of site-packages left out.

    RECORD is read here ("Recording installed projects", packaging.python.org): from Python 3.12 on
    `Distribution.files` leaves out what is gone.
    """
    files: dict[str, bytes] = {}
    for name, recorded, _ in csv.reader((found.read_text("RECORD") or "").splitlines()):
        if name.startswith("..") or "__pycache__" in PurePosixPath(name).parts or not recorded:
            continue
        place = Path(str(found.locate_file(name)))
        try:
            content = place.read_bytes()
        except OSError:
            raise SetupError("is gone from the installation", where=str(place), remedy=_AGAIN) from None
        if recorded.startswith("sha256=") and recorded != f"sha256={record_hash(content)}":
            raise SetupError("is not what was installed", where=str(place), remedy=_AGAIN)
        files[name] = content
    return {name: content for name, content in files.items() if not name.endswith(".pth")}


def _sources(package: Path) -> dict[str, bytes]:
    """An editable installation records no code: it is where it is imported from, the pages of docs/ beside it."""
    code = {
        f"{PACKAGE}/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    docs = pages.sources()
    return code | {
        f"{PACKAGE}/docs/{path.relative_to(docs).as_posix()}": path.read_bytes()
        for path in sorted(docs.rglob("*"))
        if path.is_file()
    }
