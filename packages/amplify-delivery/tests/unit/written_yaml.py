"""Stack files as tests write them: with the emitter in C, where PyYAML was built with it."""

from __future__ import annotations

from typing import Any

import yaml

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def as_yaml(document: Any, *, sort_keys: bool = True) -> str:
    return str(yaml.dump(document, Dumper=_DUMPER, sort_keys=sort_keys))
