"""Whether a bootstrapped environment's account has given the rights for what would be deployed: asked by every plan.

The account's stack records what its roles were made for (`amplify_delivery.components.documents.rights.prepared`). AWS
itself would tell in the middle of the deployment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from amplify_delivery.components.documents.account.record import BOUNDARY, EXECUTION, changed
from amplify_delivery.components.documents.environment import NEVER_WITHIN_THE_BOUNDARY
from amplify_delivery.components.documents.naming import PROJECTS
from amplify_delivery.components.documents.rights.prepared import LaterFormError, Prepared, parse
from amplify_delivery.components.documents.rights.pulumi_types import cloudformation_type
from amplify_delivery.delivery.account import bootstrap_version
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.planning import Lacking, Needs, Step, unbounded
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.stacks.access import declared_types, environment_names
from amplify_delivery.stacks.config import EnvironmentConfig, Project

_PLACES = 3
"""Resources that are named for each type; the plan of what the account has rights for lists all."""

_OWN_ROLE = "(`executionRoleArn`), which the account's `deployRights` let `deploy` pass on; nothing was changed"


def recorded(config: EnvironmentConfig, project: Project, account: Account) -> Prepared:
    """What the account's roles were made for. Raises `RefusedError` if that is written nowhere."""
    name = environment_names(project.app, config).types_parameter
    value = account.parameter(name)
    said = f"the account does not say what its roles were made for: there is no parameter {name}"
    try:
        if value is not None:
            return parse(value)
    except LaterFormError as error:
        raise RefusedError(
            f"what the account's roles were made for cannot be read: {name} is {error}",
            where=bootstrap_version.place(config),
            remedy="install the version that has made the roles, or a later one (docs/upgrading.md); "
            "nothing was changed",
        ) from None
    except ValueError as error:
        said = f"the account does not say what its roles were made for: {name} is {error}"
    raise RefusedError(
        said, where=bootstrap_version.place(config), remedy=bootstrap_version.to_bootstrap(config, project)
    )


def check(lacking: Lacking, config: EnvironmentConfig, project: Project) -> None:
    """Raise `RefusedError` if the deployment would fail for want of rights, with all of them and the way out."""
    if not lacking:
        return
    parts = (
        ("of the export", lacking.backend),
        ("of what the deployment removes", lacking.removed),
        ("of what the program adds", lacking.program),
    )
    lines = [f"  {_line(kind, places)}, {what}" for what, needs in parts for kind, places in needs.items()]
    lines += [f"  verification pages in the bucket {bucket}, of the export" for bucket in lacking.pages]
    raise RefusedError(
        "the account has not given the rights for:\n" + "\n".join(lines),
        where=bootstrap_version.place(config),
        remedy="; ".join([*_to_declare(lacking, config, project), bootstrap_version.to_bootstrap(config, project)]),
    )


def check_unbounded(steps: Sequence[Step], config: EnvironmentConfig) -> None:
    """Raise `RefusedError` if the account denies its execution role some of `steps`, since the backend's roles carry no
    boundary yet (`boundary: false`)."""
    if not config.bootstrapped or config.boundary or config.execution_role_arn:
        return
    places = unbounded.denied(steps)
    if places:
        raise RefusedError(
            "the account lets nobody change what roles without its boundary may do, and these have none yet "
            f"(`boundary: false`):\n{chr(10).join(f'  {place}' for place in places)}",
            where=config.environment,
            remedy="deliver the export of what was pushed last; then `pulumi config rm boundary` and deliver that, "
            "which gives them the boundary; then bring these changes (docs/adopting.md)",
        )


def check_roles(bare: Needs, config: EnvironmentConfig, project: Project) -> None:
    """Raise `RefusedError` if the program makes or changes identities without the account's boundary: IAM denies it."""
    if not bare:
        return
    raise RefusedError(
        "roles beside the backend without the account's permissions boundary (IAM denies `deploy` to make such): "
        + "; ".join(_line(kind, places) for kind, places in bare.items()),
        where=bootstrap_version.place(config),
        remedy="give them `environment.permissions_boundary` in components/stage.py, as the hello service does: "
        f"{environment_names(project.app, config).boundary_arn}",
    )


def outdated(record: Prepared, config: EnvironmentConfig, project: Project) -> tuple[str, ...]:
    """That roles of the account have other rights than this version gives them, as a line with the way out. No refusal:
    what is asked for may well be among those that they have."""
    names = environment_names(project.app, config)
    called = {BOUNDARY: "the boundary", EXECUTION: names.execution_role, **{p: names.project_role(p) for p in PROJECTS}}
    parts = [part for part in changed(record) if part != EXECUTION or not config.execution_role_arn]
    if not parts:
        return ()
    said = "the account's roles were made by an earlier version of this program, which did not write down their rights"
    if record.rights:
        said = (
            "another version of this program has made the account's roles, with other rights than this one gives: of "
            f"{', '.join(called[part] for part in parts)}"
        )
    return (
        f"{said}. What needs a new right ends in AccessDenied, until an administrator of account {config.account} runs "
        f"`amplify-delivery bootstrap {config.environment}`",
    )


def unclear(lacking: Lacking) -> tuple[str, ...]:
    """What nobody but AWS can tell, each as a line for whoever approves the plan."""
    return tuple(
        f"whether `deploy` has the rights for {_line(kind, places)}, is not known: the account gives it further ones "
        "(`deployRights`, `deployPolicies`), or rights for its service only"
        for kind, places in lacking.unclear.items()
    )


def check_policies(named: Needs, config: EnvironmentConfig) -> None:
    """Raise `RefusedError` if the export names managed policies itself, which the execution role may not make."""
    _refuse(
        named,
        config,
        "managed policies with names of their own, which no account lets a backend make",
        "take `ManagedPolicyName` out of them (`amplify override`): CloudFormation names them after the stack; "
        "nothing was changed",
    )


def check_names(nameless: Needs, config: EnvironmentConfig) -> None:
    """Raise `RefusedError` if the export leaves the name of something to CloudFormation whose made-up name would tell
    no environment, so that the execution role has no right to make it."""
    _refuse(
        nameless,
        config,
        "these have no name of their own, so CloudFormation would name them without the environment; the account lets "
        "a backend make only things whose names end in it",
        "give each a name that ends in the environment's (`-${env}`)",
    )


def check_own_names(misnamed: Needs, config: EnvironmentConfig) -> None:
    """Raise `RefusedError` if the deployment makes, changes or deletes what is called so that the execution role has no
    right to it."""
    env = config.environment
    _refuse(
        misnamed,
        config,
        f"names that the account does not let a backend give: they end in the environment's (`-{env}`, `-{env}.fifo`), "
        "or CloudFormation makes them",
        "have each end in `-${env}`, leave it to CloudFormation, or name a role of your own for CloudFormation in the "
        f"stack file {_OWN_ROLE}",
    )


def check_reads(unreadable: Needs, config: EnvironmentConfig) -> None:
    """Raise `RefusedError` if CloudFormation would have to read secrets or parameters that the account does not let the
    execution role read."""
    _refuse(
        unreadable,
        config,
        "secrets, or parameters of Parameter Store, that the account does not let CloudFormation read for a backend: "
        f"their names end in `-{config.environment}`, or CloudFormation makes them",
        "keep each under a name that ends in `-${env}`, give the value as a parameter of the stack file "
        f"(`parameters`), or name a role of your own for CloudFormation there {_OWN_ROLE}",
    )


def _refuse(needs: Needs, config: EnvironmentConfig, said: str, remedy: str) -> None:
    """Raise `RefusedError` with all that is needed, if anything is."""
    if needs:
        listed = "; ".join(_line(what, places) for what, places in needs.items())
        raise RefusedError(f"{said}: {listed}", where=bootstrap_version.place(config), remedy=remedy)


def denied_at_run_time(needs: Needs, config: EnvironmentConfig, project: Project) -> tuple[str, ...]:
    """What the backend's code will be denied although its own policies give it, as a line with the way out."""
    if not needs:
        return ()
    file = project.file(bootstrap_version.account_stack(project, config.environment)).name
    services = sorted({action.partition(":")[0].lower() for action in needs})
    never = [service for service in services if service in NEVER_WITHIN_THE_BOUNDARY]
    ways = []
    if addable := [service for service in services if service not in never]:
        ways.append(
            f"{file} names in `boundaryServices`: {', '.join(addable)}; "
            f"{bootstrap_version.to_bootstrap(config, project)}"
        )
    if never:
        ways.append(f"no role of a backend gets {', '.join(never)}: take it out of the export, or do without")
    lines = "; ".join(_line(action, places) for action, places in needs.items())
    return (
        "roles of the backend will be denied, when their code runs, what the account's boundary does not let pass: "
        f"{lines}. If it is used: {'; '.join(ways)}",
    )


def not_compared(policies: Needs) -> tuple[str, ...]:
    """That policies which are attached by their ARNs were not looked into, as a line."""
    if not policies:
        return ()
    lines = "; ".join(_line(policy, places) for policy, places in policies.items())
    return (
        f"policies that were not compared with the account's boundary, since their content stands elsewhere: {lines}. "
        "What they give beyond the boundary is denied when the code runs",
    )


def declared_boundary(config: EnvironmentConfig, project: Project, types: Iterable[str]) -> Prepared:
    """What the account's file says of the boundary, without asking the account: for a backend of `types`."""
    account = project.account(bootstrap_version.account_stack(project, config.environment))
    return Prepared(frozenset(types), frozenset(), frozenset(), boundary=frozenset(account.boundary_services))


def _line(kind: str, places: Sequence[str]) -> str:
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return f"{kind} ({', '.join(places[:_PLACES])}{more})"


def _to_declare(lacking: Lacking, config: EnvironmentConfig, project: Project) -> Iterator[str]:
    """What the account's file does not say yet: what it does, the account's stack only has to be applied for."""
    try:
        backend, program = declared_types(project, config)
    except ConfigError:
        backend, program = frozenset(), frozenset()  # a mistake in another file is not what is to be told here
    file = project.file(bootstrap_version.account_stack(project, config.environment)).name
    former = [name for name in lacking.removed if name not in backend and name not in lacking.backend]
    known = {token: cloudformation_type(token) for token in lacking.program}
    types = sorted({name for name in known.values() if name and name not in program})
    unknown = [token for token, name in known.items() if name is None]
    if former:
        yield f"until it is deployed, {file} names in `backendTypes`: {', '.join(former)}"
    if types:
        yield f"{file} names in `programTypes`: {', '.join(types)}"
    if unknown:
        yield f"{file} gives in `deployRights` what is needed for {', '.join(unknown)}"
