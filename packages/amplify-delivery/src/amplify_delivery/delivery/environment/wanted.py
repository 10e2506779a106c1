"""What an environment's stack file and export describe, and the account where it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from amplify_delivery.changes import deployed
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account import bootstrap_version
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.export import Assembly, RootStack, render_root
from amplify_delivery.publishing import gen2_lock
from amplify_delivery.stacks.access import environment_names, staging_bucket
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.images import check_built
from amplify_delivery.stacks.inputs import read_assembly, root_parameters


@dataclass(frozen=True)
class Wanted:
    """What an environment's stack file and export describe, and the account where it should be."""

    config: EnvironmentConfig
    assembly: Assembly
    root: RootStack
    parameters: Mapping[str, str]
    """What the root is called with, as far as it is known beforehand."""
    account: Account
    names: EnvironmentNames
    context: Context

    @property
    def bucket(self) -> str:
        """The staging bucket."""
        return self.names.staging_bucket

    @property
    def execution_role_arn(self) -> str | None:
        """CloudFormation's role; None where it acts with the rights of whoever deploys."""
        return self.config.execution_role_arn or (self.names.execution_role_arn if self.config.bootstrapped else None)


def wanted(environment: str, context: Context) -> Wanted:
    """What deploying an environment leads to. Raises `DeliveryError`s, also for credentials of another account, for an
    account that was not prepared for this program, and for a container image that is not built here."""
    return described(stack_files.load(context.folder, environment), context)


def published(environment: str, context: Context) -> Wanted:
    """The same for who only looks at what was published: its images are in the repository, and need not be here."""
    config = stack_files.load(context.folder, environment)
    return _there(files(config, context))


@dataclass(frozen=True)
class Described:
    """What an environment's files say alone, wherever it should be."""

    config: EnvironmentConfig
    assembly: Assembly
    root: RootStack
    parameters: Mapping[str, str]
    names: EnvironmentNames
    context: Context

    def at(self, account: Account) -> Wanted:
        """The same in its account."""
        return Wanted(self.config, self.assembly, self.root, self.parameters, account, self.names, self.context)


def files(config: EnvironmentConfig, context: Context) -> Described:
    """What an environment's configuration and export say; no account is asked, and no image need be built. Raises
    `DeliveryError`s."""
    values = stack_files.values(context.folder, config)
    project = context.project
    assembly = read_assembly(config, context.folder, project.app, context.assembly)
    root = render_root(assembly, values, staging_bucket(project.app, config))
    names = environment_names(project.app, config)
    return Described(config, assembly, root, root_parameters(root, values, config), names, context)


def described(config: EnvironmentConfig, context: Context) -> Wanted:
    """What an environment's configuration leads to, which need not stand in its file yet. Raises what `wanted` does."""
    found = files(config, context)
    check_built(found.assembly, str(stack_files.path(context.folder, config.environment)))
    return _there(found)


def _there(found: Described) -> Wanted:
    account = Account.of(found.config)
    bootstrap_version.check(found.config, found.context.project, account)
    return found.at(account)


def settle(target: Wanted, seconds: float) -> None:
    """Wait, so long at most, for a deployment that is going on. Raises `RefusedError` for a root stack that Amplify's
    migration to Gen 2 has locked: it is not waited for, and nothing is looked up or put right beside it."""
    account, stack = target.account, target.root.stack_name
    with account.asking(f"reading stack {stack}"):
        gen2_lock.check(account.client("cloudformation"), stack)
        deployed.settle(account.client("cloudformation"), stack, seconds, output.progress)
