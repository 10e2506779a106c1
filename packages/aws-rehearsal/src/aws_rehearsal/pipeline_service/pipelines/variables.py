"""Variables of pipelines: `#{namespace.key}` in action and rule configurations.

"Variables reference" of the CodePipeline User Guide: `codepipeline` is the reserved namespace of
`PipelineExecutionId`, `variables` that of pipeline-level variables; an action's namespace holds its output variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from aws_rehearsal.pipeline_service.errors import ActionError

_REFERENCE = re.compile(r"#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_]+)\}")
RESERVED = ("codepipeline", "variables")

Namespaces = Mapping[str, Mapping[str, str]]


def references(text: str) -> Iterator[tuple[str, str]]:
    """Namespace and key of every reference in `text`."""
    for match in _REFERENCE.finditer(text):
        yield match.group(1), match.group(2)


def resolve(text: str, namespaces: Namespaces) -> str:
    """`text` with every reference replaced by its value.

    Raises `ActionError` if one has no value: the action (or rule) that holds it fails.
    """

    def value(match: re.Match[str]) -> str:
        namespace, key = match.group(1), match.group(2)
        if key not in namespaces.get(namespace, {}):
            raise ActionError(
                "InvalidActionConfiguration",
                f"The variable {match.group(0)} could not be resolved: no action of the execution has put out "
                f"'{key}' in the namespace '{namespace}'",
            )
        return namespaces[namespace][key]

    return _REFERENCE.sub(value, text)


def resolve_all(configuration: Mapping[str, str], namespaces: Namespaces) -> dict[str, str]:
    """A configuration with the references in its values replaced."""
    return {key: resolve(text, namespaces) for key, text in configuration.items()}
