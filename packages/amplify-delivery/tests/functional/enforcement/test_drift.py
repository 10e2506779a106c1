"""Console edits of running backends are seen, all of them and nothing else; without an engine.

The export `full` is in the repository; real apps come from AMPLIFY_DELIVERY_APPS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.changes import deployed
from amplify_delivery.changes.drift.detection import detect
from amplify_delivery.changes.drift.model import Detected
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.components.documents.naming import PLAN
from amplify_delivery.delivery.reporting import last_operation, running_stacks
from amplify_delivery.export import RootStack, assemble, read_export
from aws_rehearsal.local_aws import Credentials, LocalAws
from functional.enforcement.bootstrapped import NO_SECRETS, Bootstrapped, Secrets
from functional.enforcement.console import EDITS, Console, Edited
from functional.enforcement.test_execution_exports import SECRETS, unpacked_app
from unit.export.mutations import EXPORTS

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def own_aws() -> Iterator[LocalAws]:
    """A local AWS of this module's own: names of buckets are global, and what runs here is edited and stays."""
    with LocalAws() as aws:
        yield aws


class Running:
    """A backend that runs as it was delivered."""

    def __init__(self, aws: LocalAws, export: Path, secrets: Secrets = NO_SECRETS) -> None:
        assembly = assemble(read_export(export), secrets)
        self.account = Bootstrapped.make(aws, [assembly], secrets)
        self.root: RootStack = self.account.root(assembly)
        assert self.account.create(self.root)["StackStatus"] == "CREATE_COMPLETE"
        cloudformation = self.account.local.client("cloudformation")
        stacks = deployed.read(cloudformation, self.root.stack_name, lambda _: None).stacks
        assert stacks is not None
        self.stacks: Stacks = stacks
        self.console = Console(self.account.local, self.root.stack_name, stacks)

    def detected(self, credentials: Credentials | None = None) -> Detected:
        """The drift that is seen, with these credentials or the administrator's."""
        local = self.account.local
        client, iam = (
            local.aws.client(service, credentials or local.credentials, local.region)
            for service in ("cloudformation", "iam")
        )
        return detect(client, iam, self.root.stack_name, self.stacks, lambda _: None)

    def plan_role(self) -> Credentials:
        """The role of the account's `plan` project, as it is declared; trusted by the administrator here."""
        (role,) = [r for r in self.account.documents.roles if r.arn == self.account.access.names.project_role_arn(PLAN)]
        iam, account = self.account.local.client("iam"), self.account.local.account
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=role.name, Path=role.path, AssumeRolePolicyDocument=document)
        for name, inline in role.policies.items():
            iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=json.dumps(inline))
        for policy in self.account.documents.policies:
            if policy.arn in role.managed_policies:
                iam.create_policy(PolicyName=policy.name, Path=policy.path, PolicyDocument=json.dumps(policy.document))
                iam.attach_role_policy(RoleName=role.name, PolicyArn=policy.arn)
        sts = self.account.local.client("sts")
        given = sts.assume_role(RoleArn=role.arn, RoleSessionName="plan")["Credentials"]
        return Credentials(account, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def places(found: Detected) -> set[Edited]:
    return {
        ("/".join(resource.path), difference.pointer)
        for resource in found.drifted
        for difference in resource.differences
    }


def unexpected(found: Detected, edited: set[Edited]) -> tuple[set[Edited], set[Edited]]:
    """Edits that are not seen, and what is seen beside them. An edit is seen at its property or below it."""
    seen = places(found)

    def belongs(one: Edited, edit: Edited) -> bool:
        same = one[0] == edit[0] and bool(one[1]) == bool(edit[1])
        return same and (one[1] == edit[1] or one[1].startswith(f"{edit[1]}/") or edit[1].startswith(f"{one[1]}/"))

    missed = {edit for edit in edited if not any(belongs(one, edit) for one in seen)}
    # A table that is billed otherwise has its capacity in other properties, too.
    more = {one for one in seen if not any(belongs(one, edit) for edit in edited) and "Throughput" not in one[1]}
    return missed, more


def edited(running: Running) -> dict[str, Edited]:
    done = {name: edit(running.console) for name, edit in EDITS.items()}
    return {name: place for name, place in done.items() if place is not None}


def seen_with_the_rights_of_plan(running: Running, planted: dict[str, Edited], found: Detected) -> None:
    """The same, but what holds data or credentials: that is told by name."""
    credentials = running.plan_role()
    mine = running.detected(credentials)
    hidden = {u.place for u in mine.unread}
    assert {u.type for u in mine.unread} <= {"AWS::Cognito::UserPoolClient", "AWS::AppSync::ApiKey"}
    assert all("not authorized to perform" in u.why for u in mine.unread)
    assert places(mine) == {one for one in places(found) if one[0] not in hidden}
    assert {planted[name][0] for name in ("an app client", "a deleted API key") if name in planted} <= hidden
    a_report_reads_what_runs(running, credentials)


def a_report_reads_what_runs(running: Running, credentials: Credentials) -> None:
    """With the rights of `plan`: states of all stacks, and how long each has taken."""
    local, paths = running.account.local, running.stacks.templates
    client = local.aws.client("cloudformation", credentials, local.region)
    found = running_stacks.read(client, running.root.stack_name, paths)
    assert found.status == "CREATE_COMPLETE"
    assert set(running_stacks.states(client, found).items()) == {(path, "CREATE_COMPLETE") for path in paths}
    timings = last_operation.timings(running_stacks.events(client, found, paths))
    assert timings is not None
    assert timings.title.startswith("Creation of ")
    assert {"/".join(path) for path in paths if path} <= {span.name for span in timings.spans}
    assert {span.tone for span in timings.spans} == {"good"}
    assert all(span.start >= 0 and span.start + span.seconds <= timings.seconds + 0.2 for span in timings.spans)


RESET = "/UserAttributeUpdateSettings/AttributesRequireVerificationBeforeUpdate"
"""Cognito takes back what an UpdateUserPool does not send, and Amplify's function that sets triggers does not send
this: the setting is really not in force, whatever the template says."""


def all_of_it(running: Running, *, triggers: bool = False) -> None:
    before = running.detected()
    assert before.unread == ()
    assert [pointer for _, pointer in sorted(places(before))] == ([RESET] if triggers else [])
    planted = edited(running)
    assert len(planted) >= 10
    found = running.detected()
    assert unexpected(found, {*planted.values(), *places(before)}) == (set(), set())
    seen_with_the_rights_of_plan(running, planted, found)


def test_ten_edits_of_an_export(own_aws: LocalAws) -> None:
    all_of_it(Running(own_aws, EXPORTS["full"]))


@pytest.mark.large
@pytest.mark.parametrize(
    ("app", "variant"),
    [
        ("discussions", "as-pushed"),
        ("fitness-tracker", "as-pushed-AD206-remedied"),
        ("media-vault", "as-pushed"),
        ("product-catalog", "as-pushed"),
    ],
)
def test_ten_edits_of_an_app(own_aws: LocalAws, tmp_path: Path, app: str, variant: str) -> None:
    running = Running(own_aws, unpacked_app(app, variant, tmp_path), SECRETS.get(app, NO_SECRETS))
    all_of_it(running, triggers=app == "fitness-tracker")


def test_a_caller_without_the_right_is_told(local_aws: LocalAws, developer: Any) -> None:
    """DetectStackDrift asks for DetectStackResourceDrift as well."""
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "a"}}
    developer.create({"Resources": {"P": parameter}})
    iam = developer.client("iam")
    iam.create_user(UserName="drift")
    allowed = [
        {"Effect": "Allow", "Action": ["cloudformation:*", "ssm:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "cloudformation:DetectStackResourceDrift", "Resource": "*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_user_policy(UserName="drift", PolicyName="rights", PolicyDocument=document)
    key = iam.create_access_key(UserName="drift")["AccessKey"]
    credentials = Credentials(developer.account, key["AccessKeyId"], key["SecretAccessKey"])
    client = local_aws.client("cloudformation", credentials, developer.region)
    with pytest.raises(client.exceptions.ClientError, match="DetectStackResourceDrift"):
        client.detect_stack_drift(StackName="stack")
