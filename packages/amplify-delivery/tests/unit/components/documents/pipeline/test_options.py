"""What options add to the documents: rows for each, and each added statement, loosened, breaks one of them.

The world of the trust table is without them: a connection, no images, no key of the staging area's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from amplify_delivery.components.documents.account.account_documents import account_documents
from amplify_delivery.components.documents.account.action_role import DENIED_OVERRIDES
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.pipeline.pipeline_documents import pipeline_documents
from amplify_delivery.components.documents.pipeline.source_models import (
    CodeCommitSource,
    ConnectionSource,
    GitHubTokenSource,
    S3Source,
)
from amplify_delivery.components.documents.pipeline.stage_models import Approval, Stage
from amplify_delivery.components.documents.statements import RoleDocument
from unit.components.documents import world as w
from unit.components.documents.mutations import Mutation, loosened
from unit.components.documents.pipeline.documented import CODECOMMIT_SOURCE, S3_SOURCE
from unit.components.documents.trust_table import Row, answered_otherwise, never, no, through_s3, yes

TOPIC = w.pipeline.arn("sns", "releases")
GITHUB = GitHubTokenSource(type="github-token", repository="a/b", poll=False, token_secret="github")
SOURCE, UPDATE = w.pipeline.role_arn("source"), w.pipeline.role_arn("update")


@dataclass(frozen=True)
class Option:
    """Documents of roles by the names of `world.declared`, and what must hold with them."""

    documents: w.Named
    rows: tuple[Row, ...]

    @property
    def mutations(self) -> Iterator[Mutation]:
        """Of the statements that the option adds."""
        for name, document in self.documents.items():
            standard = w.declared().get(name, {"Statement": []})["Statement"]
            added = {s["Sid"] for s in document["Statement"]} - {s["Sid"] for s in standard}
            yield from (m for m in loosened(name, document) if m.what.split(" ")[0] in added)


def _named(roles: tuple[RoleDocument, ...]) -> w.Named:
    return {
        f"role {role.name} policy {policy}": document for role in roles for policy, document in role.policies.items()
    }


def _from(source: Any) -> w.Named:
    documents = pipeline_documents(w.pipeline_model(source=source))
    update = next(policy for policy in documents.boundaries if policy.name == w.pipeline.boundary("update"))
    attached = {f"policy {policy.name}": policy.document for policy in documents.policies}
    return {**_named(documents.roles), **attached, f"boundary {update.name}": update.document}


def _codecommit() -> Iterator[Row]:
    own, other = w.pipeline.arn("codecommit", "app"), w.pipeline.arn("codecommit", "another")
    for action in CODECOMMIT_SOURCE:
        yield yes(SOURCE, action, own)
    yield yes(UPDATE, "codecommit:GetRepository", own)
    for role in (SOURCE, UPDATE):
        yield no(role, "codecommit:GetRepository", other)
        yield no(role, "codecommit:GetBranch", other)
        yield no(role, "codecommit:CancelUploadArchive", other)
        yield no(role, "codecommit:DeleteRepository", own)
        yield no(role, "codecommit:GitPush", own)
    yield no(SOURCE, "codeconnections:UseConnection", w.pipeline.arn("codeconnections", "connection/c"))


def _s3() -> Iterator[Row]:
    bucket = "arn:aws:s3:::sources"
    for action in S3_SOURCE.bucket:
        yield yes(SOURCE, action, bucket)
    for action in S3_SOURCE.objects:
        yield yes(SOURCE, action, f"{bucket}/app.zip")
    yield yes(UPDATE, "s3:GetBucketVersioning", bucket)
    yield no(SOURCE, "s3:GetObject", f"{bucket}/other.zip")
    yield no(SOURCE, "s3:PutObject", f"{bucket}/app.zip")
    yield no(SOURCE, "s3:PutBucketPolicy", bucket)
    yield no(SOURCE, "s3:ListBucket", "arn:aws:s3:::another")
    yield no(UPDATE, "s3:GetObject", f"{bucket}/app.zip")
    yield no(UPDATE, "s3:PutBucketVersioning", bucket)
    yield no(UPDATE, "s3:GetBucketVersioning", "arn:aws:s3:::another")
    # Encrypted with a key of the account's own: S3 names the object, or with a bucket key the bucket.
    key, through = w.customers_key(w.pipeline), {"kms:ViaService": f"s3.{w.pipeline.region}.amazonaws.com"}
    for named in (f"{bucket}/app.zip", bucket):
        yield yes(SOURCE, "kms:Decrypt", key, keys={**through, "kms:EncryptionContext:aws:s3:arn": named})
    own = {"kms:EncryptionContext:aws:s3:arn": f"{bucket}/app.zip"}
    others = {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::another/app.zip"}
    yield no(SOURCE, "kms:Decrypt", key, keys={**through, **others})
    yield no(SOURCE, "kms:Decrypt", key, keys=own)
    yield no(SOURCE, "kms:Decrypt", w.foreign_key(w.TOOLING), keys={**through, **own})
    yield no(SOURCE, "kms:GenerateDataKey", key, keys={**through, **own})


def _through_secrets(role: str, secret: str, other: str) -> Iterator[Row]:
    """Of a secret that is encrypted with a key of the account's own."""
    key = w.customers_key(w.pipeline)
    through = {"kms:ViaService": f"secretsmanager.{w.pipeline.region}.amazonaws.com"}
    own = {"kms:EncryptionContext:SecretARN": secret}
    yield yes(role, "kms:Decrypt", key, keys={**through, **own})
    yield no(role, "kms:Encrypt", key, keys={**through, **own})
    yield no(role, "kms:Decrypt", key, keys=own)
    yield no(role, "kms:Decrypt", w.foreign_key(w.TOOLING), keys={**through, **own})
    yield no(role, "kms:Decrypt", key, keys={**through, "kms:EncryptionContext:SecretARN": other})


def _build_secrets() -> Iterator[Row]:
    role = w.pipeline.role_arn("build")
    secret, other = (w.pipeline.arn("secretsmanager", f"secret:{name}-AbCdEf") for name in ("npm", "database"))
    yield yes(role, "secretsmanager:GetSecretValue", secret)
    yield no(role, "secretsmanager:PutSecretValue", secret)
    yield no(role, "secretsmanager:GetSecretValue", other)
    yield from _through_secrets(role, secret, other)


def _token() -> Iterator[Row]:
    secret = w.pipeline.arn("secretsmanager", "secret:github-AbCdEf")
    prefix = w.pipeline.prefix
    webhook, other, longer = (
        w.pipeline.arn("codepipeline", f"webhook:{name}-source") for name in (prefix, "another", f"{prefix}-two")
    )
    yield yes(UPDATE, "secretsmanager:GetSecretValue", secret)
    yield no(UPDATE, "secretsmanager:PutSecretValue", secret)
    for name in ("database-AbCdEf", "github-of-another-AbCdEf"):
        yield no(UPDATE, "secretsmanager:GetSecretValue", w.pipeline.arn("secretsmanager", f"secret:{name}"))
    for role in (w.pipeline.role_arn(), w.pipeline.role_arn("build")):
        yield no(role, "secretsmanager:GetSecretValue", secret)
    yield from _through_secrets(UPDATE, secret, w.pipeline.arn("secretsmanager", "secret:database-AbCdEf"))
    yield yes(UPDATE, "codepipeline:PutWebhook", webhook)
    yield yes(UPDATE, "codepipeline:RegisterWebhookWithThirdParty", webhook)
    yield yes(UPDATE, "codepipeline:ListWebhooks", webhook)
    for action in ("DeleteWebhook", "DeregisterWebhookWithThirdParty", "PutWebhook"):
        yield no(UPDATE, f"codepipeline:{action}", other)
        yield no(UPDATE, f"codepipeline:{action}", longer)  # a pipeline whose name begins with this one's
    yield no(UPDATE, "codepipeline:DeletePipeline", w.pipeline.pipeline_arn)
    yield no(UPDATE, "codepipeline:ListWebhooks", w.pipeline.arn("codepipeline", "another"))
    yield no(UPDATE, "codepipeline:TagResource", other)


def _approval() -> Iterator[Row]:
    own = w.pipeline.role_arn()
    yield yes(own, "sns:Publish", TOPIC)
    yield no(own, "sns:Publish", w.pipeline.arn("sns", "payments"))
    yield no(own, "sns:DeleteTopic", TOPIC)
    yield no(own, "sns:SetTopicAttributes", TOPIC)
    # One that is encrypted with a key of the account's own.
    key, through = w.customers_key(w.pipeline), {"kms:ViaService": f"sns.{w.pipeline.region}.amazonaws.com"}
    named = {"kms:EncryptionContext:aws:sns:topicArn": TOPIC}
    others = {"kms:EncryptionContext:aws:sns:topicArn": w.pipeline.arn("sns", "payments")}
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        yield yes(own, action, key, keys={**through, **named})
        yield no(own, action, key, keys={**through, **others})
        yield no(own, action, key, keys=named)
        yield no(own, action, w.foreign_key(w.TOOLING), keys={**through, **named})
    yield no(own, "kms:ReEncryptFrom", key, keys={**through, **named})


def _images() -> Iterator[Row]:
    publish = w.prod.project_role_arn("publish")
    own, here = w.prod.arn("ecr", f"repository/{w.prod.repository}"), {"aws:RequestedRegion": w.AWAY}
    yield yes(publish, "ecr:PutImage", own)
    yield yes(publish, "ecr:GetAuthorizationToken", "*", keys=here)
    yield no(publish, "ecr:GetAuthorizationToken", "*", keys={"aws:RequestedRegion": w.HOME})
    for name in (w.canary.repository, "payments"):
        for action in ("PutImage", "BatchCheckLayerAvailability"):
            yield no(publish, f"ecr:{action}", w.prod.arn("ecr", f"repository/{name}"))
    for action in ("DeleteRepository", "SetRepositoryPolicy", "BatchDeleteImage"):
        yield no(publish, f"ecr:{action}", own)
    yield no(publish, "ecr:CreateRepository", "*", keys=here)
    for what in ("plan", "deploy", "check"):
        yield no(w.prod.project_role_arn(what), "ecr:PutImage", own)
        # Deploying looks whether an image is there, and pulls none.
        yield (yes if what == "deploy" else no)(w.prod.project_role_arn(what), "ecr:BatchGetImage", own)
        yield no(w.prod.project_role_arn(what), "ecr:GetDownloadUrlForLayer", own)
        # Planning and deploying may ask what a scan has found.
        yield (no if what == "check" else yes)(w.prod.project_role_arn(what), "ecr:DescribeImageScanFindings", own)
        for action in ("ListCoverage", "ListFindings"):
            asked = f"inspector2:{action}"
            yield (no if what == "check" else yes)(w.prod.project_role_arn(what), asked, "*", keys=here)
            yield no(w.prod.project_role_arn(what), asked, "*", keys={"aws:RequestedRegion": w.HOME})
        yield no(w.prod.project_role_arn(what), "inspector2:Disable", "*", keys=here)
        yield no(w.prod.project_role_arn(what), "ecr:StartImageScan", own)
        for name in (w.canary.repository, "payments"):
            for action in ("BatchGetImage", "DescribeImageScanFindings"):
                yield no(w.prod.project_role_arn(what), f"ecr:{action}", w.prod.arn("ecr", f"repository/{name}"))


def _staging_key() -> Iterator[Row]:
    key, alias = w.staging_key(w.prod), w.prod.staging_key_alias
    named, via = {"kms:ResourceAliases": (alias,)}, through_s3(w.AWAY, alias)
    other = through_s3(w.AWAY, "alias/another")
    publish = w.prod.project_role_arn("publish")
    yield yes(publish, "kms:GenerateDataKey", key, keys=named)
    for action in ("GenerateDataKey", "Decrypt"):
        yield no(publish, f"kms:{action}", key, keys=other)
        yield no(publish, f"kms:{action}", w.foreign_key(w.PROD), keys=named)
    for what in ("plan", "deploy"):
        role = w.prod.project_role_arn(what)
        yield yes(role, "kms:Decrypt", key, keys=via)
        yield no(role, "kms:Decrypt", key, keys=named)
        yield no(role, "kms:Decrypt", key, keys=other)
        yield no(role, "kms:Decrypt", w.foreign_key(w.PROD), keys=via)
        # Templates between two changes of a table's indexes are put there by `deploy`.
        yield (yes if what == "deploy" else no)(role, "kms:GenerateDataKey", key, keys=via)
        yield no(role, "kms:GenerateDataKey", key, keys=named)
        yield no(role, "kms:GenerateDataKey", key, keys=other)
        yield no(role, "kms:GenerateDataKey", w.foreign_key(w.PROD), keys=via)
    # An artifact of a CI is encrypted on its way in, and by nobody else that comes in.
    ci = w.prod.ci_role_arn("plan")
    yield yes(ci, "kms:GenerateDataKey", key, keys=via)
    yield no(ci, "kms:Decrypt", key, keys=via)
    yield no(ci, "kms:GenerateDataKey", key, keys=named)
    yield no(ci, "kms:GenerateDataKey", key, keys=other)
    yield no(ci, "kms:GenerateDataKey", w.foreign_key(w.PROD), keys=via)
    yield no(w.prod.ci_role_arn("deploy"), "kms:GenerateDataKey", key, keys=via)
    for what in ("publish", "plan", "deploy", "check"):
        for action in ("ScheduleKeyDeletion", "PutKeyPolicy", "CreateGrant"):
            yield no(w.prod.project_role_arn(what), f"kms:{action}", key, keys=via)


def _containers() -> Iterator[Row]:
    """Amplify's container API works in the staging area, beside what is published there."""
    bucket, digest = w.prod.bucket_arn(w.prod.staging_bucket), "0" * 64
    own = f"amplify-{w.APP}-prod"[:20]
    for action in ("GetObject", "PutObject", "DeleteObject"):
        yield yes(w.BACKEND, f"s3:{action}", f"{bucket}/{own}/SourceArti/aB3dE6g")
    for key in (f"archives/{digest}.zip", f"templates/{digest}.json", f"vtl/{digest}"):
        yield yes(w.BACKEND, "s3:GetObject", f"{bucket}/{key}")
        for action in ("PutObject", "DeleteObject", "DeleteObjectVersion", "PutObjectTagging"):
            yield never(w.BACKEND, f"s3:{action}", f"{bucket}/{key}")
    for action in ("PutBucketPolicy", "DeleteBucketPolicy", "PutLifecycleConfiguration", "DeleteBucket"):
        yield never(w.BACKEND, f"s3:{action}", bucket)
    for other in (w.canary.staging_bucket, w.canary.state_bucket, w.prod.state_bucket):
        for action in ("GetObject", "PutObject"):
            yield never(w.BACKEND, f"s3:{action}", f"{w.prod.bucket_arn(other)}/x")
    yield yes(w.BACKEND, "codebuild:StartBuild", w.prod.arn("codebuild", "project/ApiPipelineCodeBuild-1A2B"))
    yield yes(w.BACKEND, "codepipeline:PutJobSuccessResult", "*")
    for project in (w.prod.project_arn("deploy"), w.canary.project_arn("publish")):
        for action in ("StartBuild", "UpdateProject"):
            yield never(w.BACKEND, f"codebuild:{action}", project)
    # Where the tooling account is the environment's own.
    pipeline = w.prod.arn("codepipeline", w.pipeline_model().names.pipeline)
    for action in ("UpdatePipeline", "DeletePipeline", "StartPipelineExecution", "PutApprovalResult"):
        yield never(w.BACKEND, f"codepipeline:{action}", f"{pipeline}/X/Y" if "Approval" in action else pipeline)
    for action in ("UpdateStack", "DeleteStack", "CreateChangeSet", "SetStackPolicy"):
        yield never(w.BACKEND, f"cloudformation:{action}", w.prod.arn("cloudformation", f"stack/{_STACK}/0123"))
    for role in (
        w.prod.action_role_arn,
        w.prod.execution_role_arn,
        w.prod.iam_arn("role", "/amplify-delivery/x/", "x-prod"),
    ):
        yield never(w.BACKEND, "sts:AssumeRole", role)
        yield never(w.BACKEND, "iam:PassRole", role)


_STACK = w.stack_name(w.prod)


def _with_topic() -> PipelineModel:
    asked = Stage(name="Prod", environments=("prod",), approval=Approval(notification=TOPIC))
    return w.pipeline_model(stages=(asked,))


@cache
def options() -> dict[str, Option]:
    images, key = (account_documents(w.access(w.prod, **given)) for given in ({"images": True}, {"staging_key": True}))
    containers = account_documents(w.access(w.prod, resource_types=w.EXPORT_TYPES | {"AWS::CodePipeline::Pipeline"}))
    return {
        "codecommit": Option(_from(CodeCommitSource(type="codecommit", repository="app")), tuple(_codecommit())),
        "s3": Option(_from(S3Source(type="s3", bucket="sources", key="app.zip")), tuple(_s3())),
        "token": Option(
            _from(GITHUB),
            tuple(_token()),
        ),
        "build's secrets": Option(
            _named(pipeline_documents(w.pipeline_model(), secrets={"NPM_TOKEN": "npm:token"}).roles),
            tuple(_build_secrets()),
        ),
        "approval": Option(_named(pipeline_documents(_with_topic()).roles), tuple(_approval())),
        "images": Option(_named(images.roles), tuple(_images())),
        "staging key": Option(_named(key.roles), tuple(_staging_key())),
        "containers": Option({f"boundary {w.prod.boundary}": containers.boundary.document}, tuple(_containers())),
    }


def documents_with(option: Option) -> w.Named:
    return {**w.declared(), **option.documents}


@pytest.mark.parametrize("name", options())
def test_a_row_of_an_option(name: str) -> None:
    world = w.build_world(documents_with(options()[name]))
    assert options()[name].rows
    assert answered_otherwise(world, options()[name].rows) == []


@pytest.mark.parametrize("name", options())
def test_a_loosened_statement_of_an_option_breaks_a_row(name: str) -> None:
    mutations = list(options()[name].mutations)
    assert mutations, "it adds nothing"
    assert [mutation.id for mutation in mutations if not breaks_a_row(name, mutation)] == []


def breaks_a_row(name: str, mutation: Mutation) -> bool:
    declared = documents_with(options()[name])
    changed = {**declared, mutation.document: mutation.loosened}
    # A role's own policies have to be right without its boundary too, and the boundary without them.
    bound = frozenset(role.arn for role in w.tooling().roles if role.boundary)
    flags = {"administrators" if mutation.document.startswith("boundary") else "unbound": bound}
    before, after = w.build_world(declared, **flags), w.build_world(changed, **flags)

    def opened(row: Row) -> bool:
        was, is_now = (w.is_allowed(x, row.principal, row.action, row.resource, row.context) for x in (before, after))
        return is_now and not was and not row.allowed

    return any(map(opened, options()[name].rows))


def test_the_standard_is_a_connection() -> None:
    assert isinstance(w.pipeline_model().source, ConnectionSource)


# --- an action role that CodePipeline comes through with an override --------------------------------------------------


@pytest.mark.parametrize("name", DENIED_OVERRIDES)
def test_a_name_that_the_accounts_file_allows_is_denied_no_more_and_every_other_one_is(name: str) -> None:
    access = w.access(w.prod, allowed_overrides=(name,))
    declared = {**w.declared(), **_named(account_documents(access).roles)}
    world = w.build_world(declared)
    project = w.prod.project_arn("deploy")
    for other in DENIED_OVERRIDES:
        keys = {f"codebuild:{other}": ("elsewhere",) if other.endswith("Variables.name") else "elsewhere"}
        assert w.is_allowed(world, w.prod.action_role_arn, "codebuild:StartBuild", project, keys) is (other == name), (
            other
        )


def test_an_action_role_that_denies_nothing_more_has_no_empty_policy() -> None:
    action_role = account_documents(w.access(w.prod, allowed_overrides=DENIED_OVERRIDES)).action_role
    assert action_role
    assert set(action_role.policies) == {"builds"}
