"""An account that lets a pipeline in, as far as CloudFormation sees it: execution role, boundary, staging bucket.

All of it from the declared documents, so that what a stack is refused here, the declared role would be refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from amplify_delivery.components.documents.account.account_documents import AccountDocuments, account_documents
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.statements import Document
from amplify_delivery.export import Assembly, EnvironmentValues, RootStack, render_root
from amplify_delivery.export.assembly import AssemblyObject
from amplify_delivery.stacks.access import resource_types
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal_tests.local_account import LocalAccount

REGION = "eu-west-1"
EXPIRES = 1_826_668_800
_STARTED = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
Secrets = Mapping[tuple[str, str], str]
"""Values of secret parameters, by nested stack and parameter."""
NO_SECRETS: Secrets = MappingProxyType({})


@dataclass(frozen=True)
class Bootstrapped:
    """One environment of one export in an account of its own."""

    local: LocalAccount
    access: EnvironmentAccess
    secrets: Secrets = field(default_factory=dict)
    _versions: dict[str, str] = field(default_factory=dict, compare=False)
    _published: set[str] = field(default_factory=set, compare=False)

    @classmethod
    def make(
        cls, aws: LocalAws, assemblies: Iterable[Assembly], secrets: Secrets = NO_SECRETS, region: str = REGION
    ) -> Bootstrapped:
        """An account whose roles were made for the types of all `assemblies` of one app."""
        found = list(assemblies)
        account = random_account()
        app = found[0].project
        names = EnvironmentNames(app=app, account=account, region=region, environment="prod")
        root = render_root(
            found[0], EnvironmentValues("prod", EXPIRES, secrets=frozenset(secrets)), names.staging_bucket
        )
        access = EnvironmentAccess(
            names=names,
            pipeline=PipelineNames(app=app, account="111111111111", region=region),
            stack_name=root.stack_name,
            resource_types=frozenset(kind for assembly in found for kind in resource_types(assembly)),
            tags=root.tags,
        )
        made = cls(LocalAccount(aws, account, aws.make_admin(account), region), access, secrets)
        made._set_up()
        return made

    @cached_property
    def documents(self) -> AccountDocuments:
        return account_documents(self.access)

    @property
    def role(self) -> str:
        return self.access.names.execution_role_arn

    def _set_up(self) -> None:
        names, iam, s3 = self.access.names, self.local.client("iam"), self.local.client("s3")
        boundary, execution = self.documents.boundary, self.documents.execution
        for policy in (boundary, *(p for p in self.documents.policies if p.arn in execution.managed_policies)):
            iam.create_policy(PolicyName=policy.name, Path=policy.path, PolicyDocument=json.dumps(policy.document))
        iam.create_role(
            RoleName=execution.name, Path=execution.path, AssumeRolePolicyDocument=json.dumps(execution.trust)
        )
        for arn in execution.managed_policies:
            iam.attach_role_policy(RoleName=execution.name, PolicyArn=arn)
        place = names.region
        s3.create_bucket(
            Bucket=names.staging_bucket,
            BucketNamespace="account-regional",
            **({} if place == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": place}}),
        )
        # As the staging area is: an S3 source of a pipeline wants it.
        s3.put_bucket_versioning(Bucket=names.staging_bucket, VersioningConfiguration={"Status": "Enabled"})

    def root(self, assembly: Assembly, **values: Any) -> RootStack:
        """The root for this environment, published together with the assembly; its secrets are there."""
        names = self.access.names
        given = EnvironmentValues(
            "prod", EXPIRES, secrets=frozenset(self.secrets), permissions_boundary=names.boundary_arn, **values
        )
        root = render_root(assembly, given, names.staging_bucket)
        s3 = self.local.client("s3")
        for item in assembly.objects:
            if item.key not in self._published:  # a key is made from the content
                s3.put_object(Bucket=names.staging_bucket, Key=item.key, Body=assembly.read(item.key))
                self._published.add(item.key)
        self.put(root.object, root.body)
        manager = self.local.client("secretsmanager")
        for secret in root.secrets:
            if secret.secret_name not in self._versions:
                value = self.secrets[secret.nested_stack, secret.parameter]
                made = manager.create_secret(Name=secret.secret_name, SecretString=value)
                self._versions[secret.secret_name] = made["VersionId"]
        return root

    def put(self, item: AssemblyObject, body: bytes) -> None:
        self.local.client("s3").put_object(Bucket=self.access.names.staging_bucket, Key=item.key, Body=body)

    def create(self, root: RootStack, **more: Any) -> Mapping[str, Any]:
        return self.local.create(self._url(root), root.stack_name, **self._given(root), **more)

    def update(self, root: RootStack, **more: Any) -> Mapping[str, Any]:
        return self.local.update(self._url(root), root.stack_name, **self._given(root), **more)

    def delete(self, root: RootStack) -> str:
        """The status that it ends in."""
        return str(self.local.delete(root.stack_name)["StackStatus"])

    def clear(self, root: RootStack) -> str:
        """Delete the stack and what it retains; the status that the stack ends in."""
        status = self.delete(root)
        s3 = self.local.client("s3")
        for bucket in s3.list_buckets()["Buckets"]:
            if bucket["Name"] != self.access.names.staging_bucket:
                s3.delete_bucket(Bucket=bucket["Name"])
        return status

    def empty(self, bucket: str) -> None:
        """Take everything out of a bucket, which AWS deletes empty only."""
        s3 = self.local.client("s3")
        for item in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=item["Key"])

    def failures(self, root: RootStack) -> dict[str, str]:
        """Why resources of the last operation failed, by logical id, in the root and all that is nested in it; not
        those that failed because one below them did."""
        return self._failures(root.stack_name)

    def _failures(self, stack: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for event in self.local.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]:
            logical_id, reason = event["LogicalResourceId"], event.get("ResourceStatusReason", "")
            if logical_id == event["StackName"]:
                if event["ResourceStatus"] in _STARTED:
                    break
                continue
            if reason.startswith("Embedded stack"):
                found |= self._failures(reason.split()[2])
            elif event["ResourceStatus"].endswith("_FAILED"):
                found[logical_id] = reason
        return found

    def take_away(self, *denied: Mapping[str, Any]) -> None:
        """Have the role denied something on top of all it is allowed; nothing puts its rights back."""
        document: Document = {"Version": "2012-10-17", "Statement": [dict(d) for d in denied]}
        name = self.documents.execution.name
        iam = self.local.client("iam")
        if denied:
            iam.put_role_policy(RoleName=name, PolicyName="taken-away", PolicyDocument=json.dumps(document))
        else:
            iam.delete_role_policy(RoleName=name, PolicyName="taken-away")

    def _url(self, root: RootStack) -> str:
        return f"https://s3.{self.local.region}.amazonaws.com/{self.access.names.staging_bucket}/{root.object.key}"

    def _given(self, root: RootStack) -> dict[str, Any]:
        given = {**root.parameters, **{s.version_parameter: self._versions[s.secret_name] for s in root.secrets}}
        return {
            "RoleARN": self.role,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in root.tags.items()],
        }
