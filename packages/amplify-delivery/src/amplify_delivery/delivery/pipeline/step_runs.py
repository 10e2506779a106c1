"""A pre or post step of the pipeline: its variables, and why it has failed. Pure."""

from __future__ import annotations

from amplify_delivery.delivery.engine import stack_outputs
from amplify_delivery.delivery.project import shell
from amplify_delivery.errors import DeployError, FailedError
from amplify_delivery.stacks.config import Step

_NOT_EXECUTABLE = 126
"""The exit code of a shell for a command that is there and cannot be executed (POSIX, "Exit Status for Commands")."""


def variables(step: Step, outputs: stack_outputs.Outputs, where: str) -> tuple[dict[str, str], frozenset[str]]:
    """The step's environment variables, and the texts in them that must not be printed.

    Raises `ConfigError` for an output that is not there.
    """
    found = {
        name: stack_outputs.find(outputs, output_name, where) for name, output_name in step.env_from_outputs.items()
    }
    given = {name: stack_outputs.text(o.value) for name, o in found.items()}
    return {**step.env, **given}, shell.hidden(o.value for o in found.values() if o.secret)


def failure(step: Step, ended: shell.Ended, where: str) -> DeployError | None:
    """Why the step has failed; None if it has not."""
    if ended.timed_out:
        why, remedy = f"ended after its timeout of {step.timeout} minutes", "raise `timeout` of the step, or fix it"
    elif ended.failed:
        why, remedy = ended.failed, "what was deployed stays as it is; fix the cause and repeat the step"
        if ended.code == _NOT_EXECUTABLE:
            remedy += (
                ". A script that comes through the artifact may have lost its execution bit: `sh ./SCRIPT` runs it"
            )
    else:
        return None
    return ended.error(FailedError, why, where, remedy)
