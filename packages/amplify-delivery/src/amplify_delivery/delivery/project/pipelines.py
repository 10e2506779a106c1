"""Which of the project's pipelines a command is about."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.absent import expect_project

STACK_VARIABLE = "STACK"
"""Set in the pipeline's own projects: which of the project's pipelines it is."""


def add_stack(parser: argparse.ArgumentParser) -> None:
    """`--stack NAME`: a pipeline of the project."""
    parser.add_argument(
        "--stack", metavar="NAME", help=f"the pipeline's stack; default: ${STACK_VARIABLE}, else the only one there is"
    )


def named(stack: str | None, project: Project, variables: Mapping[str, str], option: str = "--stack") -> str:
    """The stack that a command is called with, else the variable's, else the only one. Raises `ConfigError`; `option`
    is what the command calls it."""
    expect_project(project.directory)
    return stack or variables.get(STACK_VARIABLE) or only_pipeline(project.stacks("pipeline"), option)


def none(stack: str | None, project: Project, variables: Mapping[str, str]) -> bool:
    """Whether no pipeline is named and the project has none: a CI of its own delivers."""
    expect_project(project.directory)
    return not stack and not variables.get(STACK_VARIABLE) and not project.stacks("pipeline")


def only_pipeline(stacks: tuple[str, ...], option: str = "--stack") -> str:
    """The project's pipeline, if it has just one. Raises `ConfigError`."""
    if len(stacks) == 1:
        return stacks[0]
    if stacks:
        raise ConfigError(f"there are several pipelines: {', '.join(stacks)}", remedy=f"name one with {option}")
    raise ConfigError("there is no pipeline", remedy="make Pulumi.pipeline.yaml (docs/configuration.md)")
