"""Which root stacks the project's files name: one that two of them name is delivered, and destroyed, by both."""

from __future__ import annotations

import logging

from amplify_delivery.errors import DeliveryError
from amplify_delivery.stacks.config import EnvironmentConfig, Project
from amplify_delivery.stacks.inputs import root_stack_name

_log = logging.getLogger(__name__)


def named_roots(project: Project, config: EnvironmentConfig) -> dict[str, str]:
    """The root stacks that the project's files name in the account and region of `config`, by their environments."""
    found: dict[str, str] = {}
    for stack in project.stacks("backend"):
        try:
            other = project.environment(stack)
            if (other.account, other.region) == (config.account, config.region):
                found[stack] = root_stack_name(other, project.directory, project.app)
        except DeliveryError as error:
            _log.debug("%s: %s", stack, error)  # what is wrong with a file is told by whoever uses it
    return found
