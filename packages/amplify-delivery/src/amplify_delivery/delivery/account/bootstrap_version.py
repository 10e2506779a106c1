"""The bootstrap version of a bootstrapped environment: what its account has been prepared for, read before all else.

The account's stack writes it last (`amplify_delivery.components.target_account`). Without it, or with another version,
a command would fail somewhere in the middle, on a role or a bucket that is not there.
"""

from __future__ import annotations

from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.stacks.access import environment_names
from amplify_delivery.stacks.config import EnvironmentConfig, Project


def check(config: EnvironmentConfig, project: Project, account: Account) -> None:
    """Raise `RefusedError` unless the environment's account holds what this program expects; nothing was changed then.

    Of an environment that is not bootstrapped nothing is asked: its own stack makes all it needs.
    """
    if not config.bootstrapped:
        return
    names = environment_names(project.app, config)
    stack = account_stack(project, config.environment)
    value = _read(account, names.version_parameter)
    if not isinstance(value, str):
        # Roles from before version 3 may read the former parameter only: AWS denies the other, be it there or not.
        former = _read(account, names.former_version_parameter)
        if isinstance(former, str):
            raise RefusedError(
                f"the account was bootstrapped with version {former[:40]}, under the names used before version 3",
                where=place(config),
                remedy=_to_bootstrap(config, stack),
            )
    if isinstance(value, RefusedError):
        raise value
    refusal = judged(value, config, stack)
    if refusal:
        raise refusal
    if config.enrolled:
        output.progress(
            f"Pulumi.{config.environment}.yaml: `enrolled` is the former name of `bootstrapped`, and the next version "
            "does not know it; docs/upgrading.md tells when to change it"
        )


def _read(account: Account, name: str) -> str | RefusedError | None:
    """A parameter's value; None if there is none, the error if AWS does not give it."""
    try:
        return account.parameter(name)
    except RefusedError as error:
        return error


def check_account(config: EnvironmentConfig, project: Project) -> None:
    """As `check`, with the credentials that the environment's stack file names; they are looked for only if it is
    bootstrapped."""
    if config.bootstrapped:
        check(config, project, Account.of(config))


def judged(value: str | None, config: EnvironmentConfig, stack: str) -> RefusedError | None:
    """What is wrong with a bootstrap version (None: there is none); `stack` is the account's. None if nothing is."""
    again = _to_bootstrap(config, stack)
    if value is None:
        said, remedy = "the environment is not bootstrapped: its account has no bootstrap version", again
    elif not value.isdecimal():
        said, remedy = f"the account's bootstrap version is {value[:40]!r}, which is not a version", again
    elif int(value) < ACCOUNT_VERSION:
        said, remedy = (
            f"the account was bootstrapped with version {value}, and this program needs {ACCOUNT_VERSION}",
            again,
        )
    elif int(value) > ACCOUNT_VERSION:
        said = f"the account was bootstrapped with version {value}, and this program knows none after {ACCOUNT_VERSION}"
        remedy = "update the program to the version that bootstrapped the account; nothing was changed"
    else:
        return None
    return RefusedError(said, where=place(config), remedy=remedy)


def place(config: EnvironmentConfig) -> str:
    """The environment and where it is, for an error."""
    return f"{config.environment} (account {config.account}, {config.region})"


def to_bootstrap(config: EnvironmentConfig, project: Project) -> str:
    """Who has to do what, so that the account is prepared for this program and export."""
    read = f"(`amplify-delivery rights {config.environment}` lists the rights)"
    return f"{_to_bootstrap(config, account_stack(project, config.environment))} {read}"


def _to_bootstrap(config: EnvironmentConfig, stack: str) -> str:
    return (
        f"an administrator of account {config.account} runs `pulumi up -s {stack}` "
        f"(or `amplify-delivery bootstrap {config.environment}`); nothing was changed"
    )


def account_stack(project: Project, environment: str) -> str:
    """The account's stack that names the environment; what it is called by default if no file can say."""
    try:
        for stack in project.stacks("account"):
            if environment in project.account(stack).environments:
                return stack
    except ConfigError:
        pass  # a mistake in another file is not what is to be told here
    return f"{environment}-account"
