"""`python -m amplify_delivery.delivery.scaffold.wheels OUT WHEEL ...`: a build backend's wheels, repacked into OUT."""

from __future__ import annotations

import sys
from pathlib import Path

from amplify_delivery.delivery.scaffold.wheels import opened, repacked


def main(out: Path, files: list[Path]) -> None:
    """Repack wheels into `out`, and print the SHA-256 and the place of each."""
    out.mkdir(parents=True, exist_ok=True)
    for wheel in (repacked(opened(file)) for file in files):
        (out / wheel.file).write_bytes(wheel.content)
        print(f"{wheel.sha256}  {out / wheel.file}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
