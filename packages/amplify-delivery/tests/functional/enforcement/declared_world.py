"""The declared documents of one whole world, made in the local AWS: a tooling account and two target accounts.

Everything comes from `amplify_delivery.components.documents`, as the components declare it: roles with boundaries and
managed policies, projects with their real buildspecs, buckets and keys with their policies. `who` gives real
credentials of any role, as AWS would hand them out: a service acts for its own project, stack or pipeline, the rest
goes through sts:AssumeRole.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from amplify_delivery.components.documents.account.account_documents import AccountDocuments, account_documents
from amplify_delivery.components.documents.account.storage import state_bucket_policy, state_key_policy
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import PROJECTS, EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.pipeline.artifacts import bucket_policy, key_policy
from amplify_delivery.components.documents.pipeline.model import ArtifactStore, EnvironmentRef, PipelineModel
from amplify_delivery.components.documents.pipeline.pipeline_documents import PipelineDocuments, pipeline_documents
from amplify_delivery.components.documents.pipeline.source_models import ConnectionSource
from amplify_delivery.components.documents.pipeline.stage_models import Stage, Step
from amplify_delivery.components.documents.statements import (
    Document,
    PolicyDocument,
    ProjectDocument,
    RoleDocument,
    allow,
    document,
)
from amplify_delivery.components.documents.web_identity import github, gitlab, gitlab_subjects
from aws_rehearsal.local_aws import Credentials, LocalAws, random_account
from aws_rehearsal.pipeline_service import PipelineService
from aws_rehearsal.pipeline_service.gate import Gate
from aws_rehearsal_tests.pipeline_service.world import CONNECTION, OTHER_REGION, REGION
from unit.components.documents.world import EXPORT_TYPES, PROGRAM_TYPES

APP = "shop"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
STATE_FILE, OUTPUTS_FILE = ".pulumi/stacks/app.json", "outputs/app.json"


class DeclaredWorld:
    """Preprod in one account, prod and canary in another and in another region."""

    def __init__(self, service: PipelineService, repository: str) -> None:
        self.aws: LocalAws = service.aws
        self.service = service
        self.gate = Gate(service.aws.port, service._room.token)  # type: ignore[arg-type]
        self.tooling, first, second = random_account(), random_account(), random_account()
        self.pipeline = PipelineNames(app=APP, account=self.tooling, region=REGION)
        self.preprod = EnvironmentNames(app=APP, account=first, region=REGION, environment="preprod")
        self.prod = EnvironmentNames(app=APP, account=second, region=OTHER_REGION, environment="prod")
        self.canary = EnvironmentNames(app=APP, account=second, region=OTHER_REGION, environment="canary")
        self.environments = (self.preprod, self.prod, self.canary)
        stores = tuple(self._store(region) for region in (REGION, OTHER_REGION))
        self.keys = {store.region: store.key_arn for store in stores}
        self.model = PipelineModel(
            names=self.pipeline,
            source=ConnectionSource(connection=CONNECTION, repository=repository),
            stages=(
                Stage(name="PreProd", environments=("preprod",), post=(Step(name="smoke", commands=("make",)),)),
                Stage(name="Prod", environments=("prod", "canary")),
            ),
            places=tuple(map(_ref, self.environments)),
            stores=stores,
        )
        self.documents: PipelineDocuments = pipeline_documents(self.model)
        self.accounts: dict[str, AccountDocuments] = {}
        self.state_keys: dict[str, str] = {}
        own = (*self.documents.boundaries, *self.documents.policies)
        self._declare(self.tooling, REGION, own, self.documents.roles, self.documents.projects)
        self.state_keys["tooling"] = self._state(self.pipeline)
        for names in self.environments:
            self.state_keys[names.environment] = self._state(names)
            found = self.accounts[names.environment] = account_documents(self.access(names))
            self._declare(names.account, names.region, (found.boundary, *found.policies), found.roles, found.projects)
            self._bucket(names, names.staging_bucket, None)

    # --- what there is -----------------------------------------------------------------------------------------------

    def access(self, names: EnvironmentNames) -> EnvironmentAccess:
        return EnvironmentAccess(
            names=names,
            pipeline=self.pipeline,
            stack_name=stack_name(names),
            resource_types=EXPORT_TYPES,
            program_types=PROGRAM_TYPES,
            tags={"user:Application": APP, "user:Stack": names.environment},
            neighbours=tuple(n for n in self.environments if n != names and n.account == names.account),
            state_key_arn=self.state_keys[names.environment],
            ci={
                "prod": github(names, "octo/shop", ("11", "22"), "main", ".github/workflows/backend-deploy.yml"),
                "preprod": gitlab("gitlab.com", gitlab_subjects("4711", "main", "staging")),
            }.get(names.environment),
        )

    def role(self, arn: str) -> RoleDocument:
        """A declared role's document."""
        everybody = [*self.documents.roles, *(r for found in self.accounts.values() for r in found.roles)]
        return next(role for role in everybody if role.arn == arn)

    def client(self, service: str, credentials: Credentials, region: str = REGION) -> Any:
        return self.aws.client(service, credentials, region)

    def admin(self, service: str, account: str, region: str = REGION) -> Any:
        """A client of the account's administrator."""
        return self.client(service, self.aws.make_admin(account), region)

    def iam(self, arn: str) -> Any:
        """IAM of a role's account, for its administrator."""
        return self.admin("iam", arn.split(":")[4], "us-east-1")

    # --- who acts ----------------------------------------------------------------------------------------------------

    def pipelines(self) -> Credentials:
        """The pipeline's role, as CodePipeline has it."""
        return self.assumed(self.pipeline.role_arn(), "codepipeline", self.pipeline.pipeline_arn)

    def action(self, what: str) -> Credentials:
        """An action role of the tooling account: `source`, `build-action`, `update-action`."""
        return self.aws.assume_role(self.pipelines(), self.pipeline.role_arn(what))

    def tools(self, what: str) -> Credentials:
        """The role of Build or of UpdatePipeline, as their projects have it; or that of `trigger`."""
        if what == "trigger":
            return self.assumed(self.pipeline.role_arn(what), "events", self.pipeline.arn("events", "rule/any"))
        return self.assumed(self.pipeline.role_arn(what), "codebuild", self.pipeline.project_arn(what))

    def action_role(self, names: EnvironmentNames) -> Credentials:
        return self.aws.assume_role(self.pipelines(), names.action_role_arn)

    def project(self, names: EnvironmentNames, what: str) -> Credentials:
        """One of the four project roles, as its project has it; or `cloudformation`, as the stack has it."""
        if what == "cloudformation":
            return self.assumed(names.execution_role_arn, what, names.arn(what, f"stack/{stack_name(names)}/0123"))
        return self.assumed(names.project_role_arn(what), "codebuild", names.project_arn(what))

    def assumed(self, role: str, service: str, source_arn: str) -> Credentials:
        """A role's session for an AWS service that acts for `source_arn`; it must be let in."""
        found = self.service_session(role, service, source_arn)
        assert found is not None, f"{service} for {source_arn} does not get {role}"
        return found

    def service_session(self, role: str, service: str, source_arn: str) -> Credentials | None:
        return self.gate.assume(role, f"{service}.amazonaws.com", source_arn, REGION, "test")

    def everybody(self, names: EnvironmentNames) -> dict[str, Credentials]:
        """All roles that work in an environment's account, but the action role."""
        return {what: self.project(names, what) for what in (*PROJECTS, "cloudformation")}

    # --- what is changed for a while ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def promoted(self, arn: str) -> Iterator[None]:
        """The role has every right that its account can give; its boundary and its own denials stay."""
        name, iam = arn.rsplit("/", 1)[-1], self.iam(arn)
        iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING))
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=name, PolicyName="everything")

    @contextlib.contextmanager
    def policies(self, arn: str, **policies: Document | None) -> Iterator[None]:
        """The role has other inline policies of these names; None: it has none of that name."""
        name, iam = arn.rsplit("/", 1)[-1], self.iam(arn)
        before = {policy: self.role(arn).policies.get(policy) for policy in policies}
        _write(iam, name, policies)
        try:
            yield
        finally:
            _write(iam, name, before)

    @contextlib.contextmanager
    def trust(self, arn: str, document: Document) -> Iterator[None]:
        """The role has another trust policy."""
        name, iam = arn.rsplit("/", 1)[-1], self.iam(arn)
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))
        try:
            yield
        finally:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(self.role(arn).trust))

    @contextlib.contextmanager
    def unbounded(self, arn: str) -> Iterator[None]:
        """The role has no boundary."""
        name, iam = arn.rsplit("/", 1)[-1], self.iam(arn)
        iam.delete_role_permissions_boundary(RoleName=name)
        try:
            yield
        finally:
            iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=self.role(arn).boundary)

    @contextlib.contextmanager
    def bucket_opened(self, place: EnvironmentNames | PipelineNames, bucket: str, account: str) -> Iterator[None]:
        """The bucket's policy lets a whole other account in."""
        s3 = self.admin("s3", place.account, place.region)
        before = None
        with contextlib.suppress(ClientError):
            before = s3.get_bucket_policy(Bucket=bucket)["Policy"]
        arn = place.bucket_arn(bucket)
        opened = allow("Opened", "s3:*", [arn, f"{arn}/*"], principal=f"arn:aws:iam::{account}:root")
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document([opened])))
        try:
            yield
        finally:
            if before is None:
                s3.delete_bucket_policy(Bucket=bucket)
            else:
                s3.put_bucket_policy(Bucket=bucket, Policy=before)

    @contextlib.contextmanager
    def key_opened(self, key: str, account: str) -> Iterator[None]:
        """The key's policy lets a whole other account in, beside its own."""
        _, _, _, region, owner, _ = key.split(":")
        kms = self.admin("kms", owner, region)
        before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        roots = [f"arn:aws:iam::{each}:root" for each in (owner, account)]
        opened = document([allow("Opened", "kms:*", "*", principal={"AWS": roots})])
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(opened))
        try:
            yield
        finally:
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=before)

    def tidy(self) -> None:
        """The tooling account's roles as they are declared: what a call has changed that got through is taken back."""
        iam = self.admin("iam", self.tooling, "us-east-1")
        there = {r["RoleName"]: r for r in iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]}
        for role in self.documents.roles:
            for policy in {p["PolicyName"] for p in there[role.name]["RolePolicyList"]} - set(role.policies):
                iam.delete_role_policy(RoleName=role.name, PolicyName=policy)
            for attached in there[role.name]["AttachedManagedPolicies"]:
                if attached["PolicyArn"] not in role.managed_policies:
                    iam.detach_role_policy(RoleName=role.name, PolicyArn=attached["PolicyArn"])

    def delete_role(self, arn: str) -> None:
        name, iam = arn.rsplit("/", 1)[-1], self.iam(arn)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=name)

    def make_role(self, role: RoleDocument, account: str) -> str:
        """Make a declared role in `account`; its ARN there."""
        iam = self.admin("iam", account, "us-east-1")
        boundary = {"PermissionsBoundary": role.boundary} if role.boundary else {}
        made: str = iam.create_role(
            RoleName=role.name, Path=role.path, AssumeRolePolicyDocument=json.dumps(role.trust), **boundary
        )["Role"]["Arn"]
        for name, policy in role.policies.items():
            iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=json.dumps(policy))
        for arn in role.managed_policies:
            iam.attach_role_policy(RoleName=role.name, PolicyArn=arn)
        return made

    # --- how it is made ----------------------------------------------------------------------------------------------

    def _declare(
        self,
        account: str,
        region: str,
        policies: tuple[PolicyDocument, ...],
        roles: tuple[RoleDocument, ...],
        projects: tuple[ProjectDocument, ...],
    ) -> None:
        iam = self.admin("iam", account, "us-east-1")
        for policy in policies:
            iam.create_policy(PolicyName=policy.name, Path=policy.path, PolicyDocument=json.dumps(policy.document))
        for role in roles:
            assert self.make_role(role, account) == role.arn
        codebuild = self.admin("codebuild", account, region)
        for project in projects:
            codebuild.create_project(**project_properties(project))

    def _state(self, names: EnvironmentNames | PipelineNames) -> str:
        """The state's bucket and key, and something in it; the key's ARN."""
        kms = self.admin("kms", names.account, names.region)
        key: str = kms.create_key(Policy=json.dumps(state_key_policy(names)))["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName=names.state_key_alias, TargetKeyId=key)
        self._bucket(names, names.state_bucket, state_bucket_policy(names))
        s3 = self.admin("s3", names.account, names.region)
        for file in (STATE_FILE, OUTPUTS_FILE):
            s3.put_object(Bucket=names.state_bucket, Key=file, Body=b"{}")
        return key

    def _store(self, region: str) -> ArtifactStore:
        names, kms = self.pipeline, self.admin("kms", self.tooling, region)
        policy = json.dumps(key_policy(names, region, self.environments))
        key = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName=names.artifact_key_alias, TargetKeyId=key)
        place = PipelineNames(app=APP, account=self.tooling, region=region)
        self._bucket(place, names.artifact_bucket(region), bucket_policy(names, region, self.environments))
        return ArtifactStore(region, names.artifact_bucket(region), key)

    def _bucket(self, place: EnvironmentNames | PipelineNames, name: str, policy: Document | None) -> None:
        s3 = self.admin("s3", place.account, place.region)
        where = {"LocationConstraint": place.region}
        more = {} if place.region == "us-east-1" else {"CreateBucketConfiguration": where}
        s3.create_bucket(Bucket=name, BucketNamespace="account-regional", **more)
        if policy:
            s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))


def project_properties(project: ProjectDocument) -> dict[str, Any]:
    """A declared project as CodeBuild's API takes it."""
    return {
        "name": project.name,
        "source": {"type": "CODEPIPELINE", "buildspec": project.buildspec},
        "artifacts": {"type": "CODEPIPELINE"},
        "environment": {
            "type": "LINUX_CONTAINER",
            "image": project.image,
            "computeType": project.compute_type,
            "environmentVariables": [{"name": key, "value": value} for key, value in project.variables.items()],
        },
        "serviceRole": project.role_arn,
        "timeoutInMinutes": project.timeout_minutes,
    }


def for_the_api(properties: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's spelling as the API's: what the resource's handler does."""

    def spelled(value: Any) -> Any:
        if isinstance(value, list):
            return [spelled(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            name[0].lower() + name[1:]: item if name == "Configuration" else spelled(item)
            for name, item in value.items()
        }

    found: dict[str, Any] = spelled(properties)
    del found["restartExecutionOnUpdate"]
    stores = found.pop("artifactStores")
    return {**found, "artifactStores": {store["region"]: store["artifactStore"] for store in stores}}


def stack_name(names: EnvironmentNames) -> str:
    return f"amplify-{APP}-{names.environment}-a8d05"


def _ref(names: EnvironmentNames) -> EnvironmentRef:
    return EnvironmentRef(names.environment, names.account, names.region)


def _write(iam: Any, role: str, policies: dict[str, Document | None]) -> None:
    for name, policy in policies.items():
        if policy is None:
            with contextlib.suppress(iam.exceptions.NoSuchEntityException):
                iam.delete_role_policy(RoleName=role, PolicyName=name)
        else:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


def bound(call: Callable[..., Any], **values: Any) -> Callable[..., Any]:
    """`call` with what a loop's variables hold now: a lambda would see their last values."""
    return partial(call, **values)
