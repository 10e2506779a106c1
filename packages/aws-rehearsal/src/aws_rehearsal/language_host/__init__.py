"""`pulumi-language-python` for an engine that was built without one: runs programs for the plain `pulumi up`.

Two processes. The launched one serves the engine's `LanguageRuntime` service (`service.py`); its child loads the SDK
while the engine is still starting, and forks once per run (`runner.py`): each run has a fresh process state. Where a
warm server has started the host, the server forks the runs too, and there is no such child. What a user sees of a
program's errors is what the vendor's `pulumi-language-python-exec` shows.
"""

from __future__ import annotations

import sys


def main() -> None:
    """The executable: `pulumi-language-python [flags] ENGINE_ADDRESS`."""
    from aws_rehearsal.language_host.runner import start_runner

    positional = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    # Before anything else: the runner must be forked while this process has one thread and no gRPC.
    runner = start_runner(engine=positional[-1] if positional else "")

    from aws_rehearsal.language_host.service import serve_language

    serve_language(runner)
