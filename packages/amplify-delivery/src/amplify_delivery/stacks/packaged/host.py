"""`pulumi-resource-amplify-delivery`: the package's process, which the engine starts; and its schema.

    python -m amplify_delivery.stacks.packaged.host > docs/schema/pulumi-package.json

writes the schema. Descriptions of what a stack file has too are those of docs/configuration.md.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import metadata
from typing import Any

import pulumi
from pulumi.provider import ConstructResult
from pulumi.provider import main as serve
from pulumi.provider.experimental.analyzer import ComponentDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError
from pydantic.alias_generators import to_camel

from amplify_delivery.components.documents import fields
from amplify_delivery.components.documents.fields import Model
from amplify_delivery.components.documents.pipeline import source_models, stage_models
from amplify_delivery.stacks.config import (
    AccountConfig,
    EnvironmentConfig,
    PipelineConfig,
    ci,
    images,
    pipeline,
    resource_rules,
)
from amplify_delivery.stacks.config import account as config_account
from amplify_delivery.stacks.packaged import account, delivery
from amplify_delivery.stacks.packaged.backend import AmplifyBackend
from amplify_delivery.stacks.packaged.inputs import refused
from amplify_delivery.stacks.packaged.staging import StagingArea

NAME = "amplify-delivery"
COMPONENTS: list[type[pulumi.ComponentResource]] = [
    AmplifyBackend,
    StagingArea,
    account.TargetAccount,
    delivery.DeliveryPipeline,
]
INPUTS: Mapping[str, Sequence[type[Model]]] = {
    "AmplifyBackend": (EnvironmentConfig,),
    "DeliveryPipeline": (PipelineConfig,),
    "TargetAccount": (AccountConfig, EnvironmentConfig),
}
"""What describes the inputs of a component that have no description of their own: the first that knows one."""
DESCRIBED: Mapping[str, type[Model]] = {
    "Approval": stage_models.Approval,
    "Bake": stage_models.Bake,
    "Build": pipeline.Build,
    "ClientConfig": stage_models.ClientConfig,
    "Compute": fields.Compute,
    "ContainerImage": images.ContainerImage,
    "DataLoss": resource_rules.DataLoss,
    "Engine": pipeline.Engine,
    "GitHub": ci.GitHub,
    "GitLab": ci.GitLab,
    "Ignored": resource_rules.Ignored,
    "LetIn": account.LetIn,
    "Lint": resource_rules.Lint,
    "Neighbour": account.Neighbour,
    "Notifications": pipeline.Notifications,
    "Place": delivery.Place,
    "Right": fields.Right,
    "Stage": stage_models.Stage,
    "Step": stage_models.Step,
    "StepNetwork": config_account.StepNetwork,
    "Timeouts": config_account.Timeouts,
    "Trigger": source_models.Trigger,
}
"""The models that the types of the same names are read into."""
SOURCES = (
    source_models.ConnectionSource,
    source_models.GitHubTokenSource,
    source_models.CodeCommitSource,
    source_models.S3Source,
)
"""Those that the type `Source` is read into: it has the keys of all, as a schema has no choice."""


class Package(ComponentProvider):
    """The components, and their schema with all descriptions."""

    def __init__(self, version: str) -> None:
        super().__init__(COMPONENTS, NAME, version=version)
        described = _described(json.loads(self.schema or "{}"))
        # Else the SDK for Go lacks the types of what only plain lists hold, and does not compile.
        described.setdefault("language", {}).setdefault("go", {})["generateExtraInputTypes"] = True
        self.schema = json.dumps(described)

    def construct(
        self, name: str, resource_type: str, inputs: Any, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """A component; the user's own mistake is told without a traceback."""
        if options and {"aws", "aws-native"} & set(_providers(options)):
            pulumi.log.warn(
                f"{name}: a provider that is given to it is not used: docs/other-languages.md tells whose credentials"
            )
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if isinstance(error.inner, pulumi.RunError):
                raise _told(str(error.inner)) from None
            raise

    def map_inputs(self, inputs: Any, component_def: ComponentDefinition) -> Any:
        """The inputs as they were written, in camelCase: models read them, and call them so. Of a component without a
        model, as Python calls them."""
        given = inputs if isinstance(inputs, Mapping) else {}
        wrong = next(refused(given, component_def, self._type_defs), None)
        if wrong:
            raise _told(f"{component_def.name}: {wrong}")
        mapped = super().map_inputs(inputs, component_def)  # it tells what is missing
        return given if component_def.name in INPUTS else mapped


def _providers(options: pulumi.ResourceOptions) -> Collection[str]:
    """The packages that providers are given for, as the SDK's server hands them over."""
    return options.providers if isinstance(options.providers, Mapping) else ()


def _told(message: str) -> pulumi.InputPropertiesError:
    """Without a list of errors, the SDK's server fails over its own answer (pulumi 3.276)."""
    return pulumi.InputPropertiesError(message, [])


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    for name, models in INPUTS.items():
        for known in models:
            _describe(schema["resources"][f"{NAME}:index:{name}"]["inputProperties"], known)
    for name, known in DESCRIBED.items():
        _describe(schema["types"][f"{NAME}:index:{name}"]["properties"], known)
    for known in SOURCES:
        _describe(schema["types"][f"{NAME}:index:Source"]["properties"], known)
    for described in (*schema["resources"].values(), *schema["types"].values()):
        # Docstrings, which Python 3.13 and later keep without their indentation, and earlier ones with it.
        described["description"] = inspect.cleandoc(described.get("description", ""))
    schema["description"] = "AWS Amplify (Gen 1) backends, delivered from their exports"
    schema["license"] = "Apache-2.0"
    return schema


def _describe(properties: dict[str, Any], known: type[Model]) -> None:
    """Give properties that have no description the one that a stack file's keys have."""
    texts = {to_camel(key): field.description for key, field in known.model_fields.items()}
    for name, declared in properties.items():
        if texts.get(name) and not declared.get("description"):
            declared["description"] = texts[name]


def version() -> str:
    """The package's version: that of this distribution."""
    return metadata.version("amplify-delivery")


@cache
def schema() -> str:
    """The package's schema, as the SDKs of other languages are generated from it."""
    return json.dumps(json.loads(Package(version()).schema or ""), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """The executable: `pulumi-resource-amplify-delivery [flags] ENGINE_ADDRESS`."""
    serve(Package(version()), sys.argv[1:])


if __name__ == "__main__":
    sys.stdout.write(schema())
