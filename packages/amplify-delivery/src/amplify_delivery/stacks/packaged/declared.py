"""What the inputs of a `DeliveryPipeline` tell of the pipeline that it declares, in a preview and in a state.

A program in another language has outputs of its own, so they cannot be asked for there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PIPELINE_TYPE = "amplify-delivery:index:DeliveryPipeline"
_NAME, _FILE, _DIGEST = "pipeline", "stackFile", "definitionDigest"


@dataclass(frozen=True)
class Declared:
    """One pipeline, as a program declares it."""

    name: str
    """Its own name, as `pipeline`."""
    file: str
    """The text of its stack file: what Build puts into the artifact."""
    digest: str
    """SHA-256 of its definition."""

    @property
    def inputs(self) -> dict[str, str]:
        """The component's inputs."""
        return {_NAME: self.name, _FILE: self.file, _DIGEST: self.digest}


def declared_by(kind: str, inputs: Mapping[str, Any]) -> Declared | None:
    """What a resource of the type `kind` with these inputs declares; None if that is no pipeline. The component of ours
    that is made inside of this one has its type, and no inputs."""
    if kind != PIPELINE_TYPE or not {_NAME, _FILE, _DIGEST} <= set(inputs):
        return None
    return Declared(str(inputs[_NAME]), str(inputs[_FILE]), str(inputs[_DIGEST]))
