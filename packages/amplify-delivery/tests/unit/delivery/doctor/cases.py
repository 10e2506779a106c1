"""Every line of the doctor, made to fail: facts that are wrong, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from amplify_delivery.changes.runtimes import Life
from amplify_delivery.components.documents.statements import role_trust
from amplify_delivery.components.documents.web_identity import GITLAB_COMPONENTS
from amplify_delivery.delivery.account.build_quota import BuildQuota
from amplify_delivery.delivery.doctor.judging import (
    ages,
    approvals,
    bootstrapped,
    caller,
    clock,
    connection,
    migration,
    region,
    room_left,
    state_place,
    tools,
    trust,
)
from amplify_delivery.delivery.doctor.judging.approvals import GitHubRules, GitLabRules
from amplify_delivery.delivery.doctor.judging.caller import Caller, NoCaller
from amplify_delivery.delivery.doctor.judging.clock import Times
from amplify_delivery.delivery.doctor.judging.connection import Connection, Source
from amplify_delivery.delivery.doctor.judging.room_left import Functions, Used
from amplify_delivery.delivery.doctor.judging.state_place import Key, StateBucket
from amplify_delivery.delivery.doctor.judging.tools import Machine
from amplify_delivery.delivery.doctor.judging.trust import Decision, Trust
from amplify_delivery.delivery.doctor.lines import Line, State
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.stacks.config import EnvironmentConfig

PLACE = Place("prod", "222222222222", "ap-east-1", profile="my prod")
MAKE = "an administrator of account 222222222222: `amplify-delivery bootstrap prod`"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
TODAY = date(2026, 11, 29)
ARN = "arn:aws:iam::222222222222:user/ada"
CONFIG = EnvironmentConfig(account=PLACE.account, region=PLACE.region, environment="prod", bootstrapped=True)
CONNECTION = "arn:aws:codeconnections:ap-east-1:222222222222:connection/1"
PIPELINE_ROLE = "arn:aws:iam::111111111111:role/amplify-delivery/app/pipeline/pipeline/app-pipeline"
ACTION_ROLE = "arn:aws:iam::222222222222:role/amplify-delivery/app/env/prod/app-prod-action"
KEY = Key("alias/app-prod-state", "Enabled", "1234")
BUCKET = StateBucket("app-prod-state", there=True, stack=True, history=True)
MACHINE = Machine(
    engine="3.250.0",
    required=">=3.220.0",
    plugins={"aws": frozenset({"7.10.0"}), "aws-native": frozenset({"1.2.0"})},
    installed={"pulumi": "3.250.0", "pulumi-aws": "7.10.0", "pulumi-aws-native": "1.2.0", "boto3": "1.40.0"},
    lock="boto3==1.40.0 \\\n    --hash=sha256:1\n",
    python="Python 3.12.1",
    environment=".venv",
)
LIVES = {
    "nodejs18.x": Life(date(2025, 9, 1), date(2026, 8, 1), date(2026, 9, 1), "nodejs24.x"),
    "nodejs20.x": Life(date(2026, 4, 1), date(2026, 10, 1), date(2027, 1, 1), "nodejs24.x"),
    "nodejs22.x": Life(date(2027, 4, 1), date(2027, 5, 1), date(2027, 6, 1), "nodejs24.x"),
    "python3.9": Life(date(2025, 12, 1), date(2028, 1, 1), None, "python3.14"),
    "nodejs24.x": Life(date(2028, 4, 1), date(2028, 6, 1), None, None),
}
FUNCTIONS = Functions(1000, 1000, Used(0, 75 << 30))


def _time(seconds: float) -> Line:
    return clock.judge(Times(NOW, NOW + timedelta(seconds=seconds)))


def _denied(**how: object) -> Decision:
    return replace(Decision("s3:PutObject", "arn:aws:s3:::b/x", allowed=False), **how)  # type: ignore[arg-type]


def wrong() -> Iterator[tuple[str, State, Line]]:  # noqa: PLR0915 - one list
    """What is wrong, how bad that is, and the line.

    Long: rows of a table.
    """

    def of(lines: Iterator[Line] | list[Line], subject: str) -> Line:
        return next(line for line in lines if line.subject == subject)

    def machine(subject: str, **other: object) -> Line:
        return of(tools.judge(replace(MACHINE, **other)), subject)  # type: ignore[arg-type]

    def who(found: Caller | NoCaller, subject: str, ends: datetime | None = None) -> Line:
        return of(caller.judge(found, PLACE, ends, NOW), subject)

    yield "no credentials", "error", who(NoCaller("Unable to locate credentials", "log in"), "credentials")
    yield "no credentials to ask with", "not known", who(NoCaller("", ""), "account")
    yield "the root user", "warning", who(Caller(PLACE.account, "arn:aws:iam::222222222222:root"), "credentials")
    soon = NOW + timedelta(minutes=20)
    yield "credentials that end", "warning", who(Caller(PLACE.account, ARN), "credentials", soon)
    yield "another account", "error", who(Caller("333333333333", ARN), "account")
    yield "a clock that is off", "warning", _time(-90)
    yield "a clock that AWS refuses", "error", _time(301)
    yield "a region that is disabled", "error", region.judge("DISABLED", PLACE)
    yield "a region that EC2 calls disabled", "error", region.judge("not-opted-in", PLACE)
    yield "a region that is going", "error", region.judge("DISABLING", PLACE)
    yield "a region that is coming", "warning", region.judge("ENABLING", PLACE)
    away = replace(PLACE, region="eu-south-2")
    yield "a service that is not there", "warning", region.services(["AWS::Lex::Bot", "AWS::Lambda::Function"], away)
    yield "no bootstrap", "error", bootstrapped.judge(None, CONFIG, "prod-account")
    yield "an old bootstrap", "error", bootstrapped.judge("1", CONFIG, "prod-account")
    yield "a bootstrap of later", "error", bootstrapped.judge("99", CONFIG, "prod-account")
    yield "no state bucket", "error", state_place.bucket(StateBucket("b", there=False), PLACE, MAKE)
    yield "no stack in it", "error", state_place.bucket(StateBucket("b", there=True), PLACE, MAKE)
    yield "a lost state", "error", state_place.bucket(replace(BUCKET, stack=False), PLACE, MAKE)
    yield "a file without a key", "error", state_place.bucket(BUCKET, PLACE, MAKE, key_named=False)
    yield "a locked state", "warning", state_place.bucket(replace(BUCKET, locks=1), PLACE, MAKE)
    yield "not logged in", "error", state_place.own("", reached=False)
    yield "a backend that is gone", "error", state_place.own("file:///gone", reached=False)
    yield "no key", "error", state_place.key(Key("alias/a", ""), PLACE, MAKE)
    for state in ("Disabled", "PendingDeletion", "Unavailable"):
        yield f"a key that is {state}", "error", state_place.key(replace(KEY, state=state), PLACE, MAKE)
    lock = '{"Statement": {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}}'
    yield "a locked root stack", "warning", migration.judge(lock, "amplify-app-prod-1", PLACE)
    yield "no passphrase", "error", state_place.passphrase(PLACE, encrypted=True, given=False)
    yield "no action role", "error", trust.judge(Trust(ACTION_ROLE, None), role_trust(PIPELINE_ROLE), MAKE, "prod")
    open_ = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}
    yield "an open role", "error", trust.judge(Trust(ACTION_ROLE, open_), role_trust(PIPELINE_ROLE), MAKE, "prod")
    yield "a denied role", "error", trust.decided("rights", "deploy", [_denied()], MAKE)
    yield "a boundary", "error", trust.decided("rights", "deploy", [_denied(boundary=False)], MAKE)
    yield "a run-time key", "not known", trust.decided("rights", "deploy", [_denied(missing=("aws:SourceIp",))], MAKE)
    both = _denied(missing=("aws:SourceIp",), organization=False)
    yield "an SCP beside it", "error", trust.decided("rights", "deploy", [both], MAKE)
    yield "a pipeline that may not assume", "error", trust.decided("trust", "app-pipeline", [_denied()], MAKE)
    yield "an SCP", "error", trust.organization("cfn", [_denied(organization=False)], PLACE)
    yield "a developer's SCP", "error", trust.developer(ARN, [_denied(organization=False)])
    yield "a developer with less", "warning", trust.developer(ARN, [_denied()])
    yield "one build at a time", "warning", bootstrapped.builds(BuildQuota("L-1", 1), "Small", 1, PLACE)
    yield "no limit told", "not known", bootstrapped.builds(None, "Small", 1, PLACE)
    for quota, subject in (
        (room_left.STACKS, "CloudFormation stacks"),
        (room_left.ROLES, "IAM roles"),
        (room_left.POLICIES, "IAM policies"),
        (room_left.BUCKETS, "S3 buckets"),
    ):
        yield f"no room: {subject}", "error", room_left.judge(subject, quota, Used(95, 100), 6, PLACE)
        yield f"little room: {subject}", "warning", room_left.judge(subject, quota, Used(90, 100), 5, PLACE)
    yield "many resources", "warning", room_left.resources(2501, 2500)
    few = replace(FUNCTIONS, concurrent=10, unreserved=10)
    lambdas = {name: f"Lambda {name}" for name in ("concurrency", "storage")}
    yield "a new account", "warning", of(room_left.functions(few, 0, 0, PLACE), lambdas["concurrency"])
    yield "reserved too much", "error", of(room_left.functions(FUNCTIONS, 901, 0, PLACE), lambdas["concurrency"])
    full = replace(FUNCTIONS, storage=Used(75 << 30, 75 << 30))
    yield "no storage", "error", of(room_left.functions(full, 0, 1, PLACE), lambdas["storage"])
    yield "an ended runtime", "error", ages.judge({"nodejs18.x": ["a/F"]}, LIVES, TODAY)
    yield "no new functions", "error", ages.judge({"nodejs20.x": ["a/F"] * 4}, LIVES, TODAY)
    yield "a runtime that ends soon", "warning", ages.judge({"nodejs22.x": ["a/F"]}, LIVES, TODAY)
    yield "a runtime out of support", "warning", ages.judge({"python3.9": ["a/F"]}, LIVES, TODAY)
    yield (
        "a connection of another account",
        "error",
        connection.judge(Connection(CONNECTION.replace("222222222222", "333333333333"), "AVAILABLE"), PLACE),
    )
    for status in ("", "PENDING", "ERROR"):
        yield f"a connection: {status}", "error", connection.judge(Connection(CONNECTION, status, "GitHub"), PLACE)
    for worst, production in (("error", True), ("warning", False)):

        def rules(production: bool = production, **found: Any) -> Line:
            return approvals.github(GitHubRules(**found), "octo/shop", "prod", production=production)

        yield f"no environment of GitHub's: {worst}", worst, rules(there=False)  # type: ignore[misc]
        yield f"no reviewers: {worst}", worst, rules()  # type: ignore[misc]
    own = GitHubRules(reviewers=1, any_branch=False)
    yield "one's own", "warning", approvals.github(own, "octo/shop", "prod", production=True)
    any_branch = GitHubRules(reviewers=1, own=False)
    yield "any branch", "warning", approvals.github(any_branch, "octo/shop", "prod", production=True)
    for worst, production in (("error", True), ("warning", False)):
        line = approvals.github(
            replace(any_branch, own=True), "octo/shop", "prod", production=production, branch_compared=False
        )
        assert "AWS lets in" not in line.said
        yield f"any branch, which AWS does not compare: {worst}", worst, line  # type: ignore[misc]
    for what, found, whole in (
        ("GitLab's default subject", GitLabRules(protected=True, signed=("project_path", "ref_type", "ref")), False),
        ("not a protected environment", GitLabRules(protected=False, signed=GITLAB_COMPONENTS), False),
        ("none, with subjects", GitLabRules(protected=False), True),
        ("variables by hand", GitLabRules(protected=True, signed=GITLAB_COMPONENTS, variables="developer"), False),
    ):
        line = approvals.gitlab(found, "octo/web/shop", "gitlab.com", "prod", whole_subjects=whole)
        yield what, "warning" if found.variables else "error", line
    closed = GitLabRules(protected=True, signed=GITLAB_COMPONENTS, variables="no_one_allowed")
    for forks in (True, None):
        line = approvals.gitlab(
            replace(closed, forks=forks), "octo/web/shop", "gitlab.com", "prod", whole_subjects=False
        )
        yield f"a fork's pipelines: {forks}", "warning", line
    yield "no secret", "error", connection.other(Source("secret t", there=False), "make it")
    yield "no versions", "error", connection.other(Source("bucket b", there=True, wrong="is not versioned"), "do")
    yield "no engine", "error", machine("engine", engine="")
    yield "an old engine", "error", machine("engine", engine="3.219.9")
    yield "another major engine", "error", machine("engine", engine="4.0.0")
    yield "an engine older than its package", "warning", machine("engine", engine="3.249.0")
    yield "a missing plugin", "warning", machine("providers", plugins={"aws": frozenset({"7.9.0"})})
    yield "no virtualenv", "error", machine("python", environment_there=False)
    yield "no lock", "warning", machine("packages", lock=None)
    yield "a missing package", "error", machine("packages", lock="yaml==1.0 \\\n")
    tests = "iniconfig==2.3.1 \\\npluggy==1.7.0 \\\npytest==9.1.1 \\\n"
    yield "no pytest", "warning", machine("packages", lock=tests)
    yield "no pytest, nor what deploys", "error", machine("packages", lock=f"{tests}yaml==1.0 \\\n")
    yield "another package", "warning", machine("packages", lock="boto3==1.41.0 \\\n")


def right() -> Iterator[Line]:
    """Lines of facts that are as they should be: all of them ok."""
    yield from caller.judge(Caller(PLACE.account, ARN), PLACE, NOW + timedelta(hours=8), NOW)
    yield from tools.judge(MACHINE)
    yield _time(-2)
    for status in ("ENABLED", "ENABLED_BY_DEFAULT", "opted-in", "opt-in-not-required"):
        yield region.judge(status, PLACE)
    yield region.services(["AWS::Lambda::Function", "AWS::IAM::Role"], PLACE)
    yield bootstrapped.judge("3", CONFIG, "prod-account")
    yield bootstrapped.builds(BuildQuota("L-1", 60), "Small", 2, PLACE)
    yield state_place.bucket(BUCKET, PLACE, MAKE)
    yield state_place.key(KEY, PLACE, MAKE)
    yield state_place.own("file://~", reached=True)
    yield state_place.passphrase(PLACE, encrypted=True, given=True)
    yield state_place.passphrase(PLACE, encrypted=False, given=False)
    yield migration.judge(None, "amplify-app-prod-1", PLACE, there=False)
    yield migration.judge(None, "amplify-app-prod-1", PLACE)
    own = '{"Statement": {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}}'
    yield migration.judge(own, "amplify-app-prod-1", PLACE)
    stored = {"Version": "2012-10-17", "Statement": [dict(role_trust(PIPELINE_ROLE)["Statement"][0], Sid="Other")]}
    yield trust.judge(Trust(ACTION_ROLE, stored), role_trust(PIPELINE_ROLE), MAKE, "prod")
    allowed = [Decision("s3:PutObject", "x", allowed=True)]
    yield trust.decided("rights", "deploy", allowed, MAKE)
    yield trust.organization("cfn", [_denied()], PLACE)
    yield trust.organization("cfn", [_denied(organization=True)], PLACE)
    yield trust.developer(ARN, allowed)
    for subject in ("CloudFormation stacks", "IAM roles", "IAM policies", "S3 buckets"):
        yield room_left.judge(subject, room_left.ROLES, Used(10, 100), 5, PLACE)
    yield room_left.resources(2500, 2500)
    yield from room_left.functions(FUNCTIONS, 900, 1, PLACE)
    yield ages.judge({}, LIVES, TODAY)
    yield ages.judge({"nodejs24.x": ["a"], "provided.unknown": ["b"]}, LIVES, TODAY)
    good = GitHubRules(reviewers=2, own=False, any_branch=False)
    yield approvals.github(good, "octo/shop", "prod", production=True)
    yield approvals.github(replace(good, own=True), "octo/shop", "preprod", production=False)
    nobody = "no_one_allowed"
    for found, whole in (
        (GitLabRules(protected=True, signed=GITLAB_COMPONENTS, variables=nobody, forks=False), False),
        (GitLabRules(protected=True, variables=nobody, forks=False), True),
    ):
        yield approvals.gitlab(found, "octo/web/shop", "gitlab.com", "prod", whole_subjects=whole)
    yield connection.judge(Connection(CONNECTION, "AVAILABLE", "GitHub"), PLACE)
    yield connection.other(Source("secret t", there=True), "")
