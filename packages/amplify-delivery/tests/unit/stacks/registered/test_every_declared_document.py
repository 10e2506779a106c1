"""Every policy that this project declares anywhere, found in what its programs really register, and in its template.

`packages/amplify-delivery/tests/unit/components/documents/test_walk.py` walks the documents of the pure builders; here
nothing is listed by hand: a policy that a component begins to declare is found, whoever built it.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from amplify_delivery.components.documents.account.organization import protect_pipeline_role
from amplify_delivery.components.documents.environment import FORBIDDEN_MANAGED_POLICIES
from amplify_delivery.components.documents.rights.handler_table import table
from amplify_delivery.components.documents.rights.unscoped import NO_TAGS_AT_ONCE, UNSCOPED_READS, UNSCOPED_WRITES
from amplify_delivery.delivery.pipeline.state_stack import TEMPLATE
from unit.components.documents import world as w
from unit.components.recorder import Recording
from unit.stacks.projects import APP, AWAY, HELLO_TYPES, HOME, TOOLING, account_of, make, run, write

# One process runs them all: what the programs declare is found once.
pytestmark = pytest.mark.xdist_group("every-declared-document")

READS = ("BatchGet", "Describe", "Detect", "Get", "List")
TAGLESS = frozenset({"codestar-notifications:DeleteTarget", "ecr:GetAuthorizationToken"}) | {
    a for a in UNSCOPED_WRITES if a.startswith(("cloudformation:", *(f"{service}:" for service in NO_TAGS_AT_ONCE)))
}
"""Of the writes that know no resource those that know no tags either: Cloud Control's own requests, a login, a
notification's target, and those of services that take no tags with them."""
ANY_REGION = frozenset({"kms:CreateKey"})
"""A new environment may be the first one of its region: told by its tag only."""
NO_DEPUTY = "lambda.amazonaws.com"
"""Lambda takes a role of the function's own account only, and whoever makes the function must be allowed to pass it."""
NOTIFICATIONS = "codestar-notifications.amazonaws.com"
"""Publishes to a topic by the policy that its guide has, without a condition; nothing says which one it would meet."""


ROLES = ("aws-native:iam:Role", "aws:iam/role:Role")
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


@dataclass(frozen=True)
class Found:
    """A policy document, the resource that it belongs to, and the account that this resource lies in."""

    place: str
    kind: str
    """`trust`, `identity`, `boundary` or `resource`."""
    document: Mapping[str, Any]
    account: str

    def allowed(self) -> Iterator[Mapping[str, Any]]:
        statements = self.document["Statement"]
        yield from (s for s in _listed(statements) if s["Effect"] == "Allow")


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


@cache
def everything() -> tuple[Found, ...]:
    """All documents. The programs run over a real export with every option on that declares something."""
    found = (*_in_programs(), *_in_the_template(), *_for_the_organization())
    return tuple(sorted(found, key=lambda each: each.place))  # programs register in no particular order


def _in_programs() -> Iterator[Found]:
    for program, (recording, account) in recordings().items():
        for resource in recording.resources:
            kind = "resource"
            if resource.type == "aws:iam/policy:Policy":
                kind = "boundary" if resource.inputs["name"].endswith("-boundary") else "identity"
            for path, document in _policies(resource.inputs):
                if resource.type == ROLE_POLICY:
                    kind = "identity"
                if resource.type in ROLES:
                    kind = "trust" if "assumeRolePolicy" in path else "identity"
                yield Found(f"{program}: {resource.type} {resource.name} {path}", kind, document, account)


@cache
def recordings() -> dict[str, tuple[Recording, str]]:
    """What the programs register, and where."""
    folder = Path(tempfile.mkdtemp(prefix="declared-"))
    try:
        make(
            folder,
            stages=[
                {
                    "name": "PreProd",
                    "post": [
                        {
                            "name": "smoke",
                            "commands": ["true"],
                            "rights": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::fixtures/*"]}],
                        }
                    ],
                },
                {"name": "Prod1", "approval": {"notification": f"arn:aws:sns:{HOME}:{TOOLING}:releases"}},
            ],
            notifications={"emails": ["team@example.com"]},
            schedule="rate(1 day)",
        )
        source = {"connection": f"arn:aws:codeconnections:{HOME}:{TOOLING}:connection/5e6f7a8b", "repository": "a/b"}
        pipeline = yaml.safe_load((folder / "Pulumi.pipeline.yaml").read_text())["config"]
        plain = {key.partition(":")[2]: value for key, value in pipeline.items()}
        write(
            folder,
            "preprod-account",
            {"program": "account", "images": "true", "stagingKey": "true", "programTypes": HELLO_TYPES},
        )
        backend = {"region": HOME, "suffix": "a8d04", "helloService": "true"}
        write(folder, "preprod", {**backend, "account": account_of(0), "bootstrapped": "true"})
        write(folder, "dev", {**backend, "account": account_of(7)})
        found = {
            "account": (run(folder, "preprod-account"), account_of(0)),
            "another account": (run(folder, "prod1-account"), account_of(1)),
            "environment": (run(folder, "preprod"), account_of(0)),
            "personal": (run(folder, "dev"), account_of(7)),
        }
        sources: dict[str, dict[str, Any]] = {
            "connection": source,
            "codecommit": {"type": "codecommit", "repository": "app"},
            "s3": {"type": "s3", "bucket": "sources", "key": "app.zip"},
            "github-token": {"type": "github-token", "repository": "a/b", "poll": "false"},
        }
        token = {"aws:secretsmanager/getSecretVersion:getSecretVersion": {"secretString": "token"}}
        for kind, given in sources.items():
            write(folder, "pipeline", {**plain, "source": given})
            found[f"pipeline from {kind}"] = (run(folder, "pipeline", answers=token), TOOLING)
        return found
    finally:
        shutil.rmtree(folder)


def _policies(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Whatever looks like a policy, as a structure or as text."""
    if isinstance(value, str) and '"Statement"' in value:
        yield from _policies(json.loads(value), path)
    elif isinstance(value, Mapping):
        if "Statement" in value:
            yield path, value
        else:
            for key, item in value.items():
                yield from _policies(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _policies(item, f"{path}.{index}")


class _Loader(yaml.SafeLoader):
    """CloudFormation's short forms, as text: of the pseudo parameters an example's values."""


def _filled(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> str:
    text = str(loader.construct_scalar(node))  # type: ignore[arg-type]
    if suffix == "GetAtt":
        return f"arn:aws:s3:::{text.partition('.')[0]}"
    for name, value in {
        "AWS::Partition": "aws",
        "AWS::AccountId": TOOLING,
        "Bucket.Arn": "arn:aws:s3:::Bucket",
    }.items():
        text = text.replace(f"${{{name}}}", value)
    return text


_Loader.add_multi_constructor("!", _filled)


def _in_the_template() -> Iterator[Found]:
    template = yaml.load(TEMPLATE.read_text(), Loader=_Loader)
    for name, resource in template["Resources"].items():
        for path, document in _policies(resource["Properties"]):
            yield Found(f"{TEMPLATE.name}: {resource['Type']} {name} {path}", "resource", document, TOOLING)


def _for_the_organization() -> Iterator[Found]:
    document = protect_pipeline_role(w.pipeline, [f"arn:aws:iam::{TOOLING}:role/admin"])
    yield Found("service control policy", "identity", document, TOOLING)


ORIGINS = (
    "account",
    "another account",
    "environment",
    "personal",
    *(f"pipeline from {source}" for source in ("connection", "codecommit", "s3", "github-token")),
    TEMPLATE.name,
    "service control policy",
)
"""What declares documents: a program over certain stack files, or a file."""


def of(origin: str, *kinds: str) -> list[Found]:
    """Its documents, of certain kinds if any are named."""
    return [f for f in everything() if f.place.partition(":")[0] == origin and (not kinds or f.kind in kinds)]


@pytest.fixture(params=ORIGINS)
def origin(request: pytest.FixtureRequest) -> str:
    """One after the other."""
    return str(request.param)


def test_every_document_has_one_of_these_origins() -> None:
    assert {found.place.partition(":")[0] for found in everything()} == set(ORIGINS)


def test_every_kind_of_document_was_found() -> None:
    """With what is known to be declared, by type: a walk that finds less has lost its way."""
    types = {re.sub(r"^.*?: | .*$", "", place) for place in (found.place for found in everything())}
    assert types >= {
        "aws-native:iam:Role",
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:kms/key:Key",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:sns/topicPolicy:TopicPolicy",
        "AWS::KMS::Key",
        "AWS::S3::BucketPolicy",
    }
    assert {found.kind for found in everything()} == {"trust", "identity", "boundary", "resource"}


def test_whatever_can_have_a_policy_has_one() -> None:
    """Else AWS gives it one: a key then trusts its account without a word here, a bucket takes plain HTTP."""
    for program, (recording, _) in recordings().items():
        for resource in recording.resources:
            if resource.type in ("aws:kms/key:Key", *ROLES, ROLE_POLICY):
                assert list(_policies(resource.inputs)), f"{program}: {resource.name}"
        for owner, policy, key in (
            ("aws:s3/bucket:Bucket", "aws:s3/bucketPolicy:BucketPolicy", "bucket"),
            ("aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy", ""),
            ("aws:ecr/repository:Repository", "aws:ecr/repositoryPolicy:RepositoryPolicy", ""),
        ):
            owners, having = recording.all(owner), recording.all(policy)
            assert len(owners) == len(having), f"{program}: {owner}"
            if key:
                assert {r.inputs[key] for r in owners} == {r.inputs[key] for r in having}


def test_the_trust_table_judges_what_is_declared() -> None:
    """By the names of statements: nothing is declared that the table of tests/components/documents does not know."""
    known = {statement["Sid"] for document in w.declared().values() for statement in document["Statement"]}
    known |= {"Lambda"}  # the trust of the hello service, which Lambda alone can use
    for found in everything():
        if found.place == "service control policy":
            continue  # test_organization.py
        for statement in _listed(found.document["Statement"]):
            sid = statement["Sid"]
            other_source = sid in {
                "Repository",
                "SourceBucket",
                "SourceKey",
                "SourceObject",
                "Token",
                "TokenKey",
                "Webhook",
                "Webhooks",
            }
            optional = {
                "ApprovalKeys",
                "Approvals",
                "ImageFindings",
                "Images",
                "IndexTemplatesKey",
                "RegistryLogin",
                "StagingKey",
            }
            option = sid in optional or sid.startswith("StepSmoke")
            by_type = re.fullmatch(r"[A-Z][A-Za-z0-9]*(KnowsNoResource)?", sid) and "-1 policy" in found.place
            assert sid in known or other_source or option or by_type, f"{found.place}: {sid}"


def test_no_administrator(origin: str) -> None:
    for found in of(origin):
        no_administrator(found)


def no_administrator(found: Found) -> None:
    for statement in found.allowed():
        assert "NotAction" not in statement
        assert "NotPrincipal" not in statement
        for action in _listed(statement["Action"]):
            service, _, verb = action.partition(":")
            assert "*" not in service, action
            assert verb
            if verb == "*":
                # A boundary grants nothing; a bucket's denial and a key's own account are looked at below.
                own_key = statement.get("Principal") == {"AWS": f"arn:aws:iam::{found.account}:root"}
                assert found.kind == "boundary" or (service == "kms" and own_key), action
            assert service not in {"account", "organizations", "sso"}
            assert not (service in {"iam", "sts"} and "*" in verb), action


def test_no_managed_policy_of_an_administrator_is_attached() -> None:
    for program, (recording, account) in recordings().items():
        for resource in recording.resources:
            attached = [resource.inputs["policyArn"]] if resource.type == ATTACHMENT else []
            assert attached or not re.search("attachment", resource.type, re.IGNORECASE), "to one role, one policy"
            for arn in [*attached, *_listed(resource.inputs.get("managedPolicyArns") or [])]:
                assert arn.rpartition("/")[2] not in FORBIDDEN_MANAGED_POLICIES
                assert arn.startswith(f"arn:aws:iam::{account}:policy/amplify-delivery/{APP}/"), f"{program}: {arn}"


def test_nobody_is_trusted_without_a_condition(origin: str) -> None:
    for found in of(origin):
        nobody_is_trusted_without_a_condition(found)


def nobody_is_trusted_without_a_condition(found: Found) -> None:
    """Another account is, if at all, on condition of a role's name; a service, for one account only."""
    for statement in found.allowed():
        principal = statement.get("Principal")
        if principal is None:
            assert found.kind in {"identity", "boundary"}
            continue
        assert found.kind in {"trust", "resource"}
        assert isinstance(principal, Mapping), "everybody"
        assert set(principal) <= {"AWS", "Service"}
        conditions = json.dumps(statement.get("Condition", {}))
        for name in _listed(principal.get("AWS", [])):
            if name == "*":
                assert f'"kms:CallerAccount": "{found.account}"' in conditions
            elif name == f"arn:aws:iam::{found.account}:root" and statement["Action"] == "kms:*":
                continue  # the key's own account: its identity policies decide
            else:
                assert name.endswith(":root"), "a role's id would die with the role"
                assert '"aws:PrincipalArn"' in conditions, name
        for service in _listed(principal.get("Service", [])):
            if (service, found.kind) in {(NO_DEPUTY, "trust"), (NOTIFICATIONS, "resource")}:
                continue
            account = '"aws:SourceAccount"' in conditions or '"aws:SourceArn"' in conditions
            assert account, service
            assert found.account in conditions, service


def test_a_write_on_every_resource_is_listed_with_its_reason_and_kept_to_region_and_tags(origin: str) -> None:
    for found in of(origin, "identity"):
        a_write_on_every_resource_is_listed_with_its_reason_and_kept_to_region_and_tags(found)


def a_write_on_every_resource_is_listed_with_its_reason_and_kept_to_region_and_tags(found: Found) -> None:
    for statement in found.allowed():
        assert "NotResource" not in statement
        if "*" not in _listed(statement["Resource"]):
            continue
        keys = {key for block in statement.get("Condition", {}).values() for key in block}
        for action in _listed(statement["Action"]):
            if action not in UNSCOPED_WRITES:
                assert action in UNSCOPED_READS or action.split(":")[1].startswith(READS), action
                continue
            assert UNSCOPED_WRITES[action], "the reason"
            assert action in ANY_REGION or "aws:RequestedRegion" in keys, action
            tagged = any(key.startswith("aws:RequestTag/") for key in keys)
            assert action in TAGLESS or tagged, action


def test_every_listed_write_is_needed_by_something() -> None:
    """The list is one of exceptions: what nothing asks for any more comes off it."""
    wanted = {action for rights in table().values() for action in rights["change"]}
    wanted |= {a for f in everything() for s in f.allowed() for a in _listed(s["Action"])}
    assert set(UNSCOPED_WRITES) - wanted == set()


def test_a_bucket_refuses_what_comes_without_tls(origin: str) -> None:
    for found in of(origin, "resource"):
        a_bucket_refuses_what_comes_without_tls(found)


def a_bucket_refuses_what_comes_without_tls(found: Found) -> None:
    if "ucketPolicy" not in found.place:
        return
    [denial] = [s for s in _listed(found.document["Statement"]) if s["Sid"] == "TlsOnly"]
    assert denial["Effect"] == "Deny"
    assert denial["Principal"] == "*"
    assert denial["Action"] == "s3:*"
    assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    bucket, objects = denial["Resource"]
    assert objects == f"{bucket}/*"


def test_what_is_published_is_written_once_everywhere() -> None:
    """Bootstrapped or personal: no staging bucket without that denial."""
    places = [f for f in everything() if "ucketPolicy" in f.place and "staging" in f.place]
    assert len(places) >= 3
    for found in places:
        [denial] = [s for s in _listed(found.document["Statement"]) if s["Sid"] == "NothingIsOverwritten"]
        assert denial["Effect"] == "Deny"


ARTIFACT_READS = ("s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectVersion")


def test_artifacts_are_opened_to_the_accounts_of_their_region_only() -> None:
    """The pipeline's bucket and key in a region let in who deploys there, to read."""
    recording, _ = recordings()["pipeline from connection"]
    for type_, region, account in (
        ("aws:s3/bucketPolicy:BucketPolicy", HOME, account_of(0)),
        ("aws:s3/bucketPolicy:BucketPolicy", AWAY, account_of(1)),
        ("aws:kms/key:Key", HOME, account_of(0)),
        ("aws:kms/key:Key", AWAY, account_of(1)),
    ):
        text = recording.one(type_, f"pipeline-{region}").inputs["policy"]
        [opened] = [s for s in json.loads(text)["Statement"] if s["Sid"].startswith("Environments")]
        assert opened["Principal"] == {"AWS": f"arn:aws:iam::{account}:root"}
        assert set(_listed(opened["Action"])) <= {*ARTIFACT_READS, "kms:Decrypt"}
