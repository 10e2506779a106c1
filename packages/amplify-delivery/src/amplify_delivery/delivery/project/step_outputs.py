"""Which outputs the steps of a pipeline can ask for, known from the files: before anything is deployed.

What every environment exports is known by name (`amplify_delivery.stacks.backend`), what its stacks have as outputs
stands in their templates. A team's stage exports more (`components/stage.py`): of that only the names can be looked for
in its text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly, RootStack, render_root
from amplify_delivery.export.documents import parse_json
from amplify_delivery.stacks.access import staging_bucket
from amplify_delivery.stacks.config import EnvironmentConfig, PipelineConfig, Project
from amplify_delivery.stacks.output_names import NESTED_OUTPUTS, ROOT_OUTPUTS

_ALWAYS = ("account", "region", "environment", "stackName", "stackId", "stagingBucket", "rootTemplate")
_IF_THERE = {"graphqlEndpoint": "AWS::AppSync::GraphQLApi", "userPoolId": "AWS::Cognito::UserPool"}
"""Outputs of the program, and the resource type without which it has none of them."""
_OURS = (*_ALWAYS, *_IF_THERE, ROOT_OUTPUTS, NESTED_OUTPUTS)
_NOT_THE_PROGRAM = re.compile(r"(\..*|node_modules|assembly|amplify-export-.*|tests|docs|build|packages)")
"""Folders in which no program of the project lies."""


def check(project: Project, pipeline: str, assembly: Assembly) -> None:
    """Refuse a step that asks for an output which its environment cannot have. Raises `ConfigError`."""
    config = project.pipeline(pipeline)
    where = str(project.file(pipeline))
    for environment in config.environments:
        wanted = _wanted(config, environment)
        if not wanted:
            continue
        known = possible(assembly, stack_files.load(project.directory, environment), project.directory)
        for step, variable, name in wanted:
            if name in known or (name.partition(".")[0] not in _OURS and _is_said(name.partition(".")[0], project)):
                continue
            close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
            guess = f", did you mean {close[0]!r}?" if close else ""
            raise ConfigError(
                f"step {step} of {environment} wants {variable} from the output {name!r}, which cannot be there{guess}",
                where=where,
                remedy=_remedy(known),
            )


def possible(assembly: Assembly, config: EnvironmentConfig, folder: Path) -> frozenset[str]:
    """The names, and dotted paths, of all outputs that the environment may have without what its stage exports."""
    bucket = staging_bucket(assembly.project, config)
    root = render_root(assembly, stack_files.values(folder, config), bucket)
    types = set(_types(assembly))
    own = [name for name, resource_type in _IF_THERE.items() if resource_type in types]
    return frozenset({*_ALWAYS, *own, *_of_stacks(root)})


def _of_stacks(root: RootStack) -> Iterator[str]:
    names = root.template.get("Outputs", {})
    yield from (ROOT_OUTPUTS, NESTED_OUTPUTS, *names, *(f"{ROOT_OUTPUTS}.{name}" for name in names))
    for nested, output in root.outputs:
        yield from (f"{NESTED_OUTPUTS}.{nested}", f"{NESTED_OUTPUTS}.{nested}.{output}")


def _types(assembly: Assembly) -> Iterator[str]:
    for nested in assembly.root.nested.values():
        resources: Mapping[str, Mapping[str, str]] = parse_json(assembly.read(nested.template)).get("Resources", {})
        yield from (resource["Type"] for resource in resources.values())


def _wanted(config: PipelineConfig, environment: str) -> Sequence[tuple[str, str, str]]:
    """Step, variable and output."""
    steps = config.steps_of(environment)
    return [(step.name, variable, name) for step in steps for variable, name in step.env_from_outputs.items()]


def _is_said(name: str, project: Project) -> bool:
    """Whether a Python file of the project has the name in it. One that is made up from parts stands in a comment."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return any(word.search(path.read_text(encoding="utf-8", errors="replace")) for path in _python(project.directory))


def _python(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not _NOT_THE_PROGRAM.fullmatch(path.name):
            yield from _python(path)
        elif path.suffix == ".py":
            yield path


def _remedy(known: frozenset[str]) -> str:
    own = ", ".join(n for n in _OURS if n in known)
    return (
        f"there are {own}, and of nested stacks as in `outputs.NESTED_STACK.OUTPUT`; what your own program exports is "
        "found by its name in a Python file (one that it makes up from parts: in a comment)"
    )
