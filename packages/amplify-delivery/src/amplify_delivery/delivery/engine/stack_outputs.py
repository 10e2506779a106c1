"""The outputs of a deployed environment, for whoever runs something against it: read without the engine's state.

The document is what `deploy` leaves in the account's state bucket, so that a step can have outputs without rights on
the state. It holds the outputs of the Pulumi stack: `{"NAME": {"value": ..., "secret": false}}`. Where there is none,
the root stack's outputs are asked from CloudFormation and given in the same shape.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine import state_bucket
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.export import RootStack, render_root
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED
from amplify_delivery.publishing.stack_state import described, outputs_of
from amplify_delivery.stacks.inputs import read_assembly
from amplify_delivery.stacks.output_names import NESTED_OUTPUTS, ROOT_OUTPUTS

if TYPE_CHECKING:
    from amplify_delivery.stacks.config import EnvironmentConfig, Project


@dataclass(frozen=True)
class Output:
    """An output of a stack."""

    value: Any
    secret: bool


Outputs = Mapping[str, Output]


def to_json(outputs: Outputs) -> str:
    """The document. Secrets stand in it in clear: it belongs in the state bucket, and nowhere else."""
    return json.dumps({name: asdict(o) for name, o in sorted(outputs.items())}, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str, where: str) -> dict[str, Output]:
    """What `to_json` wrote. Raises `ConfigError`."""
    try:
        data = json.loads(text)
        return {name: Output(o["value"], bool(o["secret"])) for name, o in data.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigError(
            'this is not a document of outputs: {"NAME": {"value": ..., "secret": false}}',
            where=where,
            remedy="give the file that the deployment wrote",
        ) from None


def find(outputs: Outputs, name: str, where: str) -> Output:
    """An output by its name: one of the stack's own, a dotted path into one, or an output of the root stack.

    Raises `ConfigError` with the nearest name.
    """
    for top, path in ((outputs, name), (outputs, f"{ROOT_OUTPUTS}.{name}")):
        found = _at(top, path.split("."))
        if found is not None:
            return found
    known = sorted(_names(outputs))
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    guess = f", did you mean {close[0]!r}?" if close else ""
    raise ConfigError(
        f"there is no output {name!r}{guess}",
        where=where,
        remedy=f"there are {', '.join(known)}" if known else "deploy the environment first",
    )


def text(value: Any) -> str:
    """An output's value as an environment variable has it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def read_file(path: Path) -> dict[str, Output]:
    """The outputs in a file. Raises `ConfigError`."""
    try:
        return from_json(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(path), remedy="name a file that is there and may be read"
        ) from None


def read_account(config: EnvironmentConfig, project: Project) -> dict[str, Output]:
    """The outputs of a deployed environment, from its account: the document, else those of the root stack.

    Raises `RefusedError` if it was not deployed yet.
    """
    account = Account.of(config)
    names = EnvironmentNames(project.app, config.account, config.region, config.environment)
    written = _written(account, names)
    if written is not None:
        return written
    root = render_root(
        read_assembly(config, project.directory, project.app),
        stack_files.values(project.directory, config),
        names.staging_bucket,
    )
    own = "`deploy` leaves the outputs in the account: deploy the environment first"
    remedies = dict.fromkeys(ACCESS_DENIED, own) if config.bootstrapped else {}
    with account.asking(f"reading the outputs of {root.stack_name}", remedies):
        stack = described(account.client("cloudformation"), root.stack_name)
    if stack is None:
        raise RefusedError(
            "it has no outputs: it was not deployed yet",
            where=root.stack_name,
            remedy="deploy the environment first; a step before the first deployment cannot ask for outputs",
        )
    return from_stack(stack, root, config)


def from_stack(stack: Mapping[str, Any], root: RootStack, config: EnvironmentConfig) -> dict[str, Output]:
    """The outputs that DescribeStacks gives of a root stack, in the shape of the program's."""
    found = outputs_of(stack)
    nested: dict[str, dict[str, str]] = {}
    for (name, output), repeated in root.outputs.items():
        if repeated in found:
            nested.setdefault(name, {})[output] = found[repeated]
    values: dict[str, Any] = {
        "account": config.account,
        "region": config.region,
        "environment": config.environment,
        "stackName": stack["StackName"],
        "stackId": stack["StackId"],
        ROOT_OUTPUTS: found,
        NESTED_OUTPUTS: nested,
    }
    return {name: Output(value, secret=False) for name, value in values.items()}


def _written(account: Account, names: EnvironmentNames) -> dict[str, Output] | None:
    place = state_bucket.outputs_key(names.environment)
    body = state_bucket.read(account, names, place)
    return None if body is None else from_json(body.decode(), f"s3://{names.state_bucket}/{place}")


def keep(account: Account, names: EnvironmentNames, outputs: Outputs) -> None:
    """Leave the document in the account, unless this very one is there. Raises `RefusedError`."""
    place, document = state_bucket.outputs_key(names.environment), to_json(outputs).encode()
    if state_bucket.read(account, names, place) != document:
        state_bucket.write(account, names, place, document)


def _at(outputs: Outputs, path: list[str]) -> Output | None:
    top = outputs.get(path[0])
    if top is None:
        return None
    value = top.value
    for part in path[1:]:
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return None if value is None else Output(value, top.secret)


def _names(outputs: Outputs) -> Iterator[str]:
    """The path of every value."""

    def walk(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                yield from walk(inner, f"{path}.{name}")
        elif value is not None:
            yield path

    for name, output in outputs.items():
        yield from walk(output.value, name)
