"""Starts the local AWS's server with the front in it.

    launch.py TOKEN_FILE -I SERVER [arguments of the server ...]

What follows the token file are the arguments the local AWS starts its interpreter with: this file stands in for it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Load the server as a module, have the front installed before it serves, and run it."""
    token_file, _, server_file, *arguments = sys.argv[1:]
    token = Path(token_file).read_text(encoding="utf-8").strip()
    sys.argv = [server_file, *arguments]
    here = Path(__file__).parent
    sys.path[:0] = [str(Path(server_file).parent), str(here)]
    spec = importlib.util.spec_from_file_location("server", server_file)
    assert spec is not None and spec.loader is not None  # noqa: S101 - the file is there: it is being started
    server = importlib.util.module_from_spec(spec)
    sys.modules["server"] = server
    spec.loader.exec_module(server)
    serve = server._serve

    async def serve_with_front(listener: Any) -> None:
        import front  # noqa: PLC0415 - beside this file

        front.Front(token).install()
        await serve(listener)

    vars(server)["_serve"] = serve_with_front
    server.main()


main()
