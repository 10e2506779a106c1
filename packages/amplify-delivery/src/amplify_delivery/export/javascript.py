"""What JavaScript loads that its runtime does not bring: the AWS SDK of version 2, from nodejs18.x on.

"Building Lambda functions with Node.js" (Lambda Developer Guide): runtimes up to nodejs16.x bring version 2, later ones
version 3. A function whose runtime was raised without its code cannot be loaded any more.
"""

from __future__ import annotations

import io
import re
import zipfile

_LOADED = re.compile(r"""(?:require\s*\(\s*|\bfrom\s+|\bimport\s+)(['"])aws-sdk(?:/[\w./-]+)?\1""")
_COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)
_RUNTIME = re.compile(r"nodejs(\d+)\.x")
_WITHOUT = 18
"""The first version of Node whose runtime does not bring it."""
_LARGEST, _MOST = 1 << 20, 4 << 20
_ENDINGS = (".cjs", ".js", ".mjs")


def brings_no_former_sdk(runtime: object) -> bool:
    """Whether a runtime of Lambda is one of Node without version 2 of the SDK."""
    found = _RUNTIME.fullmatch(runtime) if isinstance(runtime, str) else None
    return found is not None and int(found[1]) >= _WITHOUT


def loads_former_sdk(code: str) -> bool:
    """Whether code loads version 2 of the SDK. What stands in a comment does not count."""
    return "aws-sdk" in code and _LOADED.search(_COMMENT.sub("", code)) is not None


def entry_without_sdk(archive: bytes) -> str | None:
    """The first file of a zip that loads version 2 of the SDK, if the zip does not hold it; None also for what is no
    zip. Packages are not looked into, nor texts of more than 1 MB, nor more than 4 MB of a zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as found:
            entries = sorted(found.infolist(), key=lambda info: info.filename)
            if any("node_modules/aws-sdk/" in f"/{info.filename}" for info in entries):
                return None
            left = _MOST
            for info in entries:
                own = info.filename.endswith(_ENDINGS) and "node_modules/" not in info.filename
                if not own or info.file_size > min(_LARGEST, left):
                    continue
                left -= info.file_size
                if loads_former_sdk(found.read(info).decode("utf-8", "replace")):
                    return info.filename
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        pass  # AD403 tells what is wrong with it
    return None
