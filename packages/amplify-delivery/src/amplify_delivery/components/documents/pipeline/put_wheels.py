"""Puts wheels into the virtualenv that runs this, in the time that unpacking takes: `python - WHEEL ...`.

Its text stands in the buildspecs (`buildspecs.PUT_WHEELS`): every build of a pipeline installs what Build has packed.
pip takes a second for that, most of it for itself and for byte code that the build's one command does not load. It
prints the wheels that need more than unpacking and commands: pip installs these.

Source: "Binary distribution format" of the PyPA specifications, "Installing a wheel".
"""

import configparser
import sys
import sysconfig
import zipfile
from pathlib import Path


def put(wheel: str, packages: Path, commands: Path) -> bool:
    """Unpack a wheel and write its commands. False, and nothing is done, if it needs more than that."""
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        info = next((top for top in sorted(tops) if top.endswith(".dist-info")), "")
        if not info or (packages / info).exists() or any(top.endswith(".data") for top in tops):
            return False
        if "Root-Is-Purelib: true" not in archive.read(f"{info}/WHEEL").decode().splitlines():
            return False
        archive.extractall(packages)
    points = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    points.optionxform = str  # type: ignore[method-assign, assignment]
    points.read(packages / info / "entry_points.txt", encoding="utf-8")
    for name, target in dict(points).get("console_scripts", {}).items():
        module, _, function = target.partition("[")[0].strip().partition(":")
        lines = (f"#!{sys.executable}", "import sys", f"import {module}", f"sys.exit({module}.{function}())")
        (commands / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        (commands / name).chmod(0o755)
    return True


def main(wheels: list[str]) -> None:
    """Put wheels into this interpreter's folders; prints those that are left, one in a line."""
    packages, commands = Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("scripts"))
    for wheel in wheels:
        if not put(wheel, packages, commands):
            print(wheel)


if __name__ == "__main__":
    main(sys.argv[1:])
