"""`pulumi-resource-amplify-delivery`: the package's process, which the engine starts; and its schema.

    python -m amplify_delivery.stacks.packaged.host > docs/schema/pulumi-package.json

writes the schema. Descriptions of what a stack file has too are those of docs/configuration.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import pulumi
from pulumi.provider import ConstructResult
from pulumi.provider import main as serve
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError
from pydantic.alias_generators import to_camel

from amplify_delivery.components.documents.fields import Model
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.config import resource_rules as described
from amplify_delivery.stacks.packaged.backend import AmplifyBackend
from amplify_delivery.stacks.packaged.staging import StagingArea

NAME = "amplify-delivery"
COMPONENTS: list[type[pulumi.ComponentResource]] = [AmplifyBackend, StagingArea]
DESCRIBED: Mapping[str, type[Model]] = {
    "DataLoss": described.DataLoss,
    "Ignored": described.Ignored,
    "Lint": described.Lint,
}
"""What a stack file has under the same names."""


class Package(ComponentProvider):
    """The components, and their schema with all descriptions."""

    def __init__(self, version: str) -> None:
        super().__init__(COMPONENTS, NAME, version=version)
        self.schema = json.dumps(_described(json.loads(self.schema or "{}")))

    def construct(
        self, name: str, resource_type: str, inputs: Any, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """A component; the user's own mistake is told without a traceback."""
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if isinstance(error.inner, pulumi.RunError):
                # Without a list of errors, the SDK's server fails over its own answer (pulumi 3.276).
                raise pulumi.InputPropertiesError(str(error.inner), []) from None
            raise


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    _describe(schema["resources"][f"{NAME}:index:AmplifyBackend"]["inputProperties"], EnvironmentConfig)
    environment = schema["resources"][f"{NAME}:index:AmplifyBackend"]["inputProperties"]["environment"]
    environment["description"] = environment["description"].partition(" Default:")[0]  # a component has none
    for name, model in DESCRIBED.items():
        _describe(schema["types"][f"{NAME}:index:{name}"]["properties"], model)
    schema["description"] = "AWS Amplify (Gen 1) backends, delivered from their exports"
    schema["license"] = "Apache-2.0"
    return schema


def _describe(properties: dict[str, Any], model: type[Model]) -> None:
    """Give properties the descriptions that a stack file's keys have."""
    fields = {to_camel(key): field.description for key, field in model.model_fields.items()}
    for name, declared in properties.items():
        if fields.get(name):
            declared["description"] = fields[name]


def version() -> str:
    """The package's version: that of this distribution."""
    return metadata.version("amplify-delivery")


def schema() -> str:
    """The package's schema, as the SDKs of other languages are generated from it."""
    return json.dumps(json.loads(Package(version()).schema or ""), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """The executable: `pulumi-resource-amplify-delivery [flags] ENGINE_ADDRESS`."""
    serve(Package(version()), sys.argv[1:])


if __name__ == "__main__":
    sys.stdout.write(schema())
