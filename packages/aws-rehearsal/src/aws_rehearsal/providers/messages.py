"""Loads the engine's message classes without loading the Pulumi SDK around them.

`import pulumi.runtime.proto` runs `pulumi/__init__.py`, which costs a plugin 0.1 s of its start for code it never
calls. The message modules need nothing of it, so their packages are entered as bare ones. Only for processes that never
use the SDK.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path


def load_without_sdk() -> None:
    """Makes `pulumi.runtime.proto.*_pb2` importable by themselves; does nothing where the SDK is already loaded."""
    if "pulumi" in sys.modules:
        return
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            "the Pulumi SDK is not installed for this interpreter: pip install -r requirements.txt"
        )
    folder = Path(spec.submodule_search_locations[0])
    for name, path in (
        ("pulumi", folder),
        ("pulumi.runtime", folder / "runtime"),
        ("pulumi.runtime.proto", folder / "runtime" / "proto"),
    ):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package
