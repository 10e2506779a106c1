"""What is looked at in an environment's account: each subject's question, which only reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from amplify_delivery.changes import runtimes
from amplify_delivery.components.documents.account.account_documents import let_in_by
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import DEPLOY
from amplify_delivery.components.documents.rights.types import actions_for
from amplify_delivery.delivery.account import bootstrap_version
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.doctor.asking import (
    backend_facts,
    ci_rules,
    identity,
    quotas,
    roles,
    stack_policy,
    states,
)
from amplify_delivery.delivery.doctor.asking.backend_facts import Backend
from amplify_delivery.delivery.doctor.asking.clients import Clients, NotKnownError, given
from amplify_delivery.delivery.doctor.judging import (
    ages,
    approvals,
    bootstrapped,
    migration,
    region,
    room_left,
    state_place,
    trust,
)
from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.delivery.doctor.questions import Once, Question
from amplify_delivery.delivery.engine import state_store
from amplify_delivery.delivery.engine.stack_key import Key
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError, DeliveryError
from amplify_delivery.stacks.access import environment_access, environment_names
from amplify_delivery.stacks.config import AccountConfig, EnvironmentConfig, Project
from amplify_delivery.stacks.config.reader import read_yaml
from amplify_delivery.stacks.inputs import read_assembly, root_stack_name

if TYPE_CHECKING:
    from amplify_delivery.components.documents.naming import EnvironmentNames

_PASSPHRASES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


class EnvironmentQuestions:
    """The questions about an environment. `arn` is the caller's; without clients nothing is asked."""

    def __init__(
        self, clients: Clients | None, place: Place, config: EnvironmentConfig, context: Context, arn: str
    ) -> None:
        self._given, self._place, self._config, self._context, self._arn = clients, place, config, context, arn
        self._project: Project = context.project
        self._backend = Once(self._read_backend)
        self._stacks = Once(lambda: quotas.stacks(self._clients))

    @property
    def _clients(self) -> Clients:
        return given(self._given)

    @property
    def _names(self) -> EnvironmentNames:
        return environment_names(self._project.app, self._config)

    @property
    def _make(self) -> str:
        """What makes the environment's place in its account."""
        return f"an administrator of account {self._place.account}: `amplify-delivery bootstrap {self._place.stack}`"

    def questions(self) -> Iterator[Question]:
        """In the order of their lines."""
        yield Question(("region",), self._region)
        yield Question(("services",), lambda: [region.services(self._backend().types, self._place)], of_account=False)
        if self._config.bootstrapped or self._config.enrolled:
            yield Question(("bootstrap",), self._bootstrap)
            yield Question(("state",), self._state)
            yield Question(("state key",), lambda: [self._key()])
            yield Question(("trust",), self._trust)
            account = self._account_file()
            if account and account.ci:
                yield Question(("approval",), lambda: [self._approval(account)], of_account=False)
            yield Question(("rights",), self._deploy_rights)
            yield Question(("organization",), self._organization)
            yield Question(("builds",), self._builds)
        else:
            yield Question(("state",), self._own_state, of_account=False)
            yield Question(("state key",), self._own_key, of_account=False)
            yield Question(("rights",), self._own_rights)
        yield Question(("CloudFormation stacks", "CloudFormation resources"), self._stack_room)
        yield Question(("root stack",), self._root_stack)
        yield Question(("IAM roles", "IAM policies"), self._identities)
        yield Question(("S3 buckets",), self._buckets)
        yield Question(("Lambda concurrency", "Lambda storage"), self._functions)
        yield Question(("runtimes",), self._runtimes, of_account=False)

    def _read_backend(self) -> Backend:
        folder, app = self._context.folder, self._project.app
        assembly = read_assembly(self._config, folder, app)
        return backend_facts.of(assembly, root_stack_name(self._config, folder, app))

    def _account_file(self) -> AccountConfig | None:
        found = self._project.accounts().get(self._config.environment, [])
        return found[0][1] if found else None

    def _region(self) -> Iterator[Line]:
        yield region.judge(identity.region_status(self._clients, self._place), self._place)

    def _bootstrap(self) -> Iterator[Line]:
        stack = bootstrap_version.account_stack(self._project, self._config.environment)
        yield bootstrapped.judge(states.version(self._clients, self._names), self._config, stack)

    def _state(self) -> Iterator[Line]:
        names = self._names
        found = states.bucket(self._clients, names.state_bucket, names.account, self._project.app, self._place.stack)
        named = names_its_key(self._context, self._place)
        yield state_place.bucket(found, self._place, self._make, key_named=named)

    def _key(self) -> Line:
        return state_place.key(states.key(self._clients, self._names.state_key_alias), self._place, self._make)

    def _own_state(self) -> Iterator[Line]:
        url, reached, said, remedy = states.own(self._context.folder, self._context.variables)
        yield state_place.own(url, reached=reached, said=said, remedy=remedy)

    def _own_key(self) -> Iterator[Line]:
        path = stack_files.path(self._context.folder, self._place.stack)
        file = read_yaml(path) if path.is_file() else {}
        given = any(self._context.variables.get(name) for name in _PASSPHRASES)
        url = state_store.backend_url(self._context.folder, self._context.variables)
        if state_store.is_pulumi_cloud(url) and not (file.get("secretsprovider") or file.get("encryptionsalt")):
            yield Line("state key", "ok", f"one that {url} keeps for this stack")
        elif file.get("secretsprovider") in (None, "", "passphrase"):
            yield state_place.passphrase(self._place, encrypted=bool(file.get("encryptionsalt")), given=given)
        else:
            yield Line("state key", "ok", f"{file['secretsprovider']}, as the stack file says")

    def _trust(self) -> Iterator[Line]:
        for role in let_in_by(self._access()):
            found = roles.trust(self._clients, role.arn)
            yield trust.judge(found, role.trust, self._make, self._place.name)

    def _approval(self, account: AccountConfig) -> Line:
        """Asked of the CI, with a token of the caller's, if there is one."""
        name, variables = self._config.environment, self._context.variables
        if account.github:
            found = ci_rules.github(account.github, name, variables)
            production, compared = bool(self._config.production), self._place.partition == "aws"
            return approvals.github(
                found, account.github.repository, name, production=production, branch_compared=compared
            )
        assert account.gitlab  # noqa: S101 - one of the two
        ours = account.gitlab
        rules = ci_rules.gitlab(ours, name, variables)
        return approvals.gitlab(rules, ours.project, ours.host, name, whole_subjects=ours.plan_subject is not None)

    def _access(self) -> EnvironmentAccess:
        account = self._account_file()
        if account is None:
            raise ConfigError(
                f"no account's stack names {self._config.environment}",
                where=str(self._context.folder),
                remedy="make its file, with `program: account` (docs/configuration.md)",
            )
        return environment_access(self._project, self._project.app, account, self._config)

    def _deploy_rights(self) -> Iterator[Line]:
        """What `deploy` cannot do without, as the simulator sees it."""
        names, execution = self._names, self._config.execution_role_arn or self._names.execution_role_arn
        stack = names.arn("cloudformation", f"stack/{self._backend().stack_name}/doctor")
        state, staging = names.bucket_arn(names.state_bucket), names.bucket_arn(names.staging_bucket)
        who, own = names.project_role_arn(DEPLOY), {"aws__ResourceAccount": names.account}
        where = {"aws__RequestedRegion": names.region}
        simulate = roles.simulate
        calls = ["cloudformation:CreateStack", "cloudformation:UpdateStack"]
        passing = {"iam__PassedToService": "cloudformation.amazonaws.com"}
        found = [
            *simulate(self._clients, who, calls, stack, **where, cloudformation__RoleArn=execution),
            *simulate(self._clients, who, ["iam:PassRole"], execution, **passing),
            *simulate(self._clients, who, ["s3:GetObject", "s3:PutObject"], f"{state}/.pulumi/doctor", **own, **where),
            *simulate(self._clients, who, ["s3:GetObject"], f"{staging}/templates/doctor", **own, **where),
        ]
        yield trust.decided("rights", names.project_role(DEPLOY), found, self._make)

    def _organization(self) -> Iterator[Line]:
        """What the organization takes from CloudFormation's role, of all that the backend needs."""
        role = self._config.execution_role_arn or self._names.execution_role_arn
        found = roles.simulate(
            self._clients, role, actions_for(self._backend().types), aws__RequestedRegion=self._place.region
        )
        yield trust.organization(role.rpartition("/")[2], found, self._place)

    def _own_rights(self) -> Iterator[Line]:
        who = roles.simulated_as(self._clients, self._arn)
        found = roles.simulate(
            self._clients, who, actions_for(self._backend().types), aws__RequestedRegion=self._place.region
        )
        yield trust.developer(who, found)

    def _builds(self) -> Iterator[Line]:
        account = self._account_file()
        size = account.build.compute_type if account else "BUILD_GENERAL1_SMALL"
        beside = [
            environment
            for name in self._project.stacks("backend")
            if (environment := _readable(self._project, name)) is not None
            and (environment.account, environment.region) == (self._place.account, self._place.region)
            and environment.bootstrapped
        ]
        yield bootstrapped.builds(
            quotas.builds(self._clients, size), size.rpartition("_")[2].capitalize(), max(1, len(beside)), self._place
        )

    def _stack_room(self) -> Iterator[Line]:
        limits, names, backend = quotas.limits(self._clients), self._stacks(), self._backend()
        used = room_left.Used(len(names), limits.stacks)
        here = sum(1 for name in names if name == backend.stack_name or name.startswith(f"{backend.stack_name}-"))
        more = max(0, backend.stacks - here)
        yield room_left.judge("CloudFormation stacks", room_left.STACKS, used, more, self._place)
        if limits.resources_at_once is None:
            yield Line("CloudFormation resources", "not known", "CloudFormation does not say this limit")
        else:
            yield room_left.resources(backend.resources, limits.resources_at_once)

    def _root_stack(self) -> Iterator[Line]:
        stack = self._backend().stack_name
        there = stack in self._stacks()
        policy = stack_policy.of(self._clients, stack) if there else None
        yield migration.judge(policy, stack, self._place, there=there)

    def _deployed(self) -> bool:
        """Whether the root stack is there: what it needs is taken already, more or less. Not knowing counts all."""
        try:
            return self._backend().stack_name in self._stacks()
        except NotKnownError:
            return False

    def _identities(self) -> Iterator[Line]:
        made, policies = quotas.identities(self._clients)
        needed = 0 if self._deployed() else self._backend().roles
        yield room_left.judge("IAM roles", room_left.ROLES, made, needed, self._place)
        yield room_left.judge("IAM policies", room_left.POLICIES, policies, 0, self._place)

    def _buckets(self) -> Iterator[Line]:
        needed = 0 if self._deployed() else self._backend().buckets + 1
        used = quotas.buckets(self._clients, self._place)
        yield room_left.judge("S3 buckets", room_left.BUCKETS, used, needed, self._place)

    def _functions(self) -> Iterator[Line]:
        found, deployed = quotas.functions(self._clients), self._deployed()
        backend = self._backend()
        reserved, code = (0, 0) if deployed else (backend.reserved, backend.code)
        yield from room_left.functions(found, reserved, code, self._place)

    def _runtimes(self) -> Iterator[Line]:
        yield ages.judge(self._backend().runtimes, runtimes.lives(), datetime.now(UTC).date())


def names_its_key(context: Context, place: Place) -> bool:
    """Whether the stack file says what the state is encrypted with; the engine would take a passphrase else."""
    return Key.of_file(stack_files.path(context.folder, place.stack)) is not None


def _readable(project: Project, name: str) -> EnvironmentConfig | None:
    """An environment; None for a file that is wrong, which is not what is to be told here."""
    try:
        return stack_files.load(project.directory, name)
    except DeliveryError:
        return None
