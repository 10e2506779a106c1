"""What MiniStack asks of botocore before each answer, without a service's whole description.

The form of an answer (`Content-Type`) is made from a service's protocol, which stands at the beginning of its
description. MiniStack makes a session of botocore for each service and reads all of it: two fifths of the processor
time with which a local AWS starts and answers its first calls. This is no patch: the answers are the same.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import responses

from ._expect import PatchError, expect

_BEGINNING = 4096
"""Characters; the longest metadata of botocore's 434 services are 502."""


def apply() -> None:
    """Have the form of answers made from `metadata`; MiniStack's own way is left for what has no description there."""
    whole = expect(responses, "_service_model", "service")
    names = getattr(responses, "_BOTOCORE_NAME", None)
    if not isinstance(names, dict):
        raise PatchError("MiniStack has no table of botocore's names of services any more")

    @functools.cache
    def service_model(service: str) -> Any:
        found = metadata(names.get(service, service))
        return _Description(found, lambda: whole(service)) if found else whole(service)

    responses._service_model = service_model


class _Description:
    """A service's metadata, and the whole description for who asks for more: Step Functions does, for shapes."""

    def __init__(self, metadata: dict[str, Any], whole: Callable[[], Any]) -> None:
        self.metadata, self._whole = metadata, whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole(), name)


def metadata(name: str) -> dict[str, Any] | None:
    """A service's metadata, by botocore's name of it; None if they are not where they are looked for."""
    package = importlib.util.find_spec("botocore")
    for folder in (package and package.submodule_search_locations) or ():
        versions = sorted(Path(folder, "data", name).glob("*/service-2.json.gz"))
        if versions:
            with gzip.open(versions[-1], "rt", encoding="utf-8") as file:
                text = file.read(_BEGINNING)
            _, key, rest = text.partition('"metadata":')
            try:
                found = json.JSONDecoder().raw_decode(rest.lstrip())[0] if key else None
            except ValueError:
                return None
            return found if isinstance(found, dict) else None
    return None
