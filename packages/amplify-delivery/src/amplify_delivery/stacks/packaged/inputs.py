"""From what a program in another language passes to our models: the same as stack files have, and errors that name the
input."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pulumi
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition, TypeDefinition
from pydantic import ValidationError

from amplify_delivery.components.documents.fields import WRITTEN, Model, unknown
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly, assemble, load_assembly, read_export
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.config.reader import as_config_error
from amplify_delivery.stacks.images import FOLDER, given_images
from amplify_delivery.stacks.inputs import as_configured, named_assembly

PROGRAMS_FOLDER = Path()
"""The engine starts a package's process in the folder of the program."""

M = TypeVar("M", bound=Model)


def validated(model: type[M], given: Mapping[str, Any], name: str) -> M:
    """The model of what was passed to the component `name`, with its keys in camelCase. Raises `ConfigError`."""
    try:
        return model.model_validate({k: v for k, v in given.items() if v is not None}, context=WRITTEN)
    except ValidationError as error:
        told = as_config_error(error, name, "source")
        # Its remedies are those of a stack file.
        remedy = re.sub(r"^`pulumi config set (\S+) VALUE`$", r"pass `\1`", told.remedy)
        raise ConfigError(told.message, where=name, remedy=remedy) from None


def chosen(args: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Those of the arguments that a model takes."""
    return {key: value for key, value in args.items() if key in keys}


def assembly_of(config: EnvironmentConfig, directory: Path) -> Assembly:
    """What is delivered. Its project may have another name than the Pulumi program: that is not ours. Raises what
    `read_assembly` does."""
    named = named_assembly(config, directory)
    if not named.export:
        return as_configured(load_assembly(named.path), config)
    images = given_images(config.container_images, directory / FOLDER)
    return as_configured(assemble(read_export(named.path), config.secret_names, images), config)


def refused(
    inputs: Mapping[str, Any], component: ComponentDefinition, types: Mapping[str, TypeDefinition]
) -> Iterator[str]:
    """What is wrong with inputs that no model could say: the SDK leaves out what the schema does not have, and what
    only the deployment knows is no value that documents could be made of."""
    yield from _properties(inputs, component.inputs, types, "")


def _properties(
    given: Mapping[str, Any], known: Mapping[str, PropertyDefinition], types: Mapping[str, TypeDefinition], where: str
) -> Iterator[str]:
    for key, value in given.items():
        path = f"{where}{key}"
        if key in known:
            yield from _value(value, known[key], types, path)
        else:
            wrong = unknown(key, known)
            yield f"{where.rstrip('.')}: {wrong} ({wrong.remedy})".removeprefix(": ")


def _value(value: Any, declared: PropertyDefinition, types: Mapping[str, TypeDefinition], path: str) -> Iterator[str]:
    if value is None:
        return  # as if it were not there
    if isinstance(value, pulumi.Output):
        if declared.plain:
            otherwise = "only single values in it may be" if _leaf(declared).plain is None else "pass it plainly"
            yield (
                f"{path} is a secret, or known only once something else is deployed, and documents are written with it "
                f"before anything is: {otherwise}"
            )
    elif declared.ref or declared.additional_properties:
        if not isinstance(value, Mapping):
            yield f"{path}: {value!r} is not a mapping"
        elif declared.additional_properties:
            for key, item in value.items():
                yield from _value(item, declared.additional_properties, types, f"{path}.{key}")
        else:
            kind = types[str(declared.ref).rpartition(":")[2]]
            yield from _properties(value, kind.properties, types, f"{path}.")
    elif declared.items:
        if not isinstance(value, list):
            yield f"{path}: {value!r} is not a list"
            return
        for number, item in enumerate(value):
            yield from _value(item, declared.items, types, f"{path}.{number}")


def _leaf(declared: PropertyDefinition) -> PropertyDefinition:
    """What stands in mappings of mappings, in the end."""
    return _leaf(declared.additional_properties) if declared.additional_properties else declared
