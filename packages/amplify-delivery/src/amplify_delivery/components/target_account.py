"""What lets a pipeline into an account, for one environment: what `cdk bootstrap --trust` makes, and less of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from amplify_delivery.components import declared
from amplify_delivery.components.documents.account.account_documents import (
    SOME_KEY,
    AccountDocuments,
    account_documents,
    with_keys,
)
from amplify_delivery.components.documents.account.record import account_record
from amplify_delivery.components.documents.account.storage import (
    ARTIFACTS_DAYS,
    AUDIT_DAYS,
    KEY_DAYS,
    STATE_VERSIONS_DAYS,
    UNTAGGED_EXPIRE,
    state_bucket_policy,
    state_key_policy,
)
from amplify_delivery.components.documents.environment import ACCOUNT_VERSION, EnvironmentAccess
from amplify_delivery.components.documents.limits import check_parameter, check_projects, check_roles
from amplify_delivery.components.documents.naming import CI_ROLES, NOT_YET, PROJECTS
from amplify_delivery.components.documents.pipeline.buildspecs import EngineDownload
from amplify_delivery.components.documents.statements import Document, PolicyDocument, RoleDocument, to_json
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.components.image_repository import image_repository
from amplify_delivery.components.private_bucket import PrivateBucket, PrivateBucketArgs, private_bucket
from amplify_delivery.components.staging_area import StagingArea, StagingAreaArgs


@dataclass(frozen=True)
class TargetAccountArgs:
    """Arguments of `TargetAccount`."""

    access: EnvironmentAccess
    """The environment, the pipeline that comes in, and the rights that both need."""
    engine: EngineDownload | None = None
    """Where builds get the engine from, if it is not in their image."""
    protect: bool = True
    """Refuse to destroy what cannot be made again: staging area, state bucket, its key and the audit log."""
    digest: str | None = None
    """Digest of all that the account's stack makes, which is written down here. None: nothing is written."""


class TargetAccount(pulumi.ComponentResource):
    """One environment's place in a target account.

    Nobody outside the account gets credentials for it. The pipeline's role may assume one role, the action role, which
    starts builds of four projects; what these do stands in the projects, and what they may do in their roles.

    It wants two providers of the account, `aws` and `aws-native`.
    """

    staging_bucket: pulumi.Output[str]
    state_bucket: pulumi.Output[str]
    state_key_arn: pulumi.Output[str]
    secrets_provider: pulumi.Output[str]
    """What the engine encrypts the environment's state with, as it stands in the stack file."""
    action_role_arn: pulumi.Output[str | None]
    """The role that the pipeline assumes, if one comes in."""
    ci_roles: pulumi.Output[Mapping[str, str]]
    """The ARNs of the roles that a CI's jobs assume, by `plan` and `deploy`; none where no CI comes in."""
    execution_role_arn: pulumi.Output[str]
    """The role that CloudFormation uses."""
    boundary_arn: pulumi.Output[str]
    """The permissions boundary of every role that the environment makes."""
    projects: pulumi.Output[Mapping[str, str]]
    """The names of the four projects, by `publish`, `plan`, `deploy` and `check`."""
    repository_url: pulumi.Output[str | None]
    """The ECR repository, if the app has images."""
    version: pulumi.Output[str]
    """The bootstrap version, written last of all: what a deployment asks for first."""

    def __init__(self, name: str, args: TargetAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Long: one thing declared after the other, in the order in which they hang on each other."""
        super().__init__("amplify-delivery:index:TargetAccount", name, None, opts)
        access, names = args.access, args.access.names
        with as_run_error():
            # The ARNs of keys are random: what is checked here has others, of the same length.
            documents = account_documents(with_keys(access, [SOME_KEY] * 2), args.engine)
            types = account_record(access).to_text()
            check_parameter(names.types_parameter, types)
            check_roles(documents.roles, (*documents.policies, documents.boundary))
            check_projects(documents.projects)
        kept = pulumi.ResourceOptions(parent=self, protect=args.protect)

        staging = StagingArea(
            f"{name}-staging",
            StagingAreaArgs(
                names.staging_bucket,
                names.account,
                names.region,
                customer_key=access.staging_key,
                key_alias=names.staging_key_alias if access.staging_key else None,
                artifacts_days=ARTIFACTS_DAYS if access.ci else None,
            ),
            kept,
        )
        state, key, alias = self._state(name, args)
        audit = declared.log_group(
            names.audit_log_group, pulumi.ResourceOptions(parent=self, protect=args.protect), AUDIT_DAYS
        )
        repository = self._repository(args) if access.images else None
        keyed = pulumi.Output.all(key.arn, staging.key_arn).apply(
            lambda arns: account_documents(with_keys(access, arns), args.engine)
        )
        digest = self._digest(name, args)
        made = self._roles_and_projects(documents, keyed, digest)
        # After the roles that it tells of, and before the version, which says that it is there.
        record = aws.ssm.Parameter(
            f"{name}-types",
            name=names.types_parameter,
            description=f"Resource types that the roles of {names.prefix} have rights for",
            type="String",
            insecure_value=types,
            opts=pulumi.ResourceOptions(parent=self, depends_on=made),
        )
        last = pulumi.ResourceOptions(parent=self, depends_on=[staging, *state.whole, alias, audit, record, *made])
        if names.former:
            self._version_parameter(f"{name}-version", names.former_version_parameter, access, last)
        version = self._version_parameter(f"{name}-bootstrap-version", names.version_parameter, access, last)

        if args.digest:
            self._parameter(
                f"{name}-bootstrap-done",
                names.done_parameter,
                "Digest of what `amplify-delivery bootstrap` has made here, to the end",
                NOT_YET,
                # The command writes it, after everything that the stack no longer has is deleted as well.
                pulumi.ResourceOptions(parent=self, depends_on=[version], ignore_changes=["insecureValue", "value"]),
            )

        self.staging_bucket = staging.bucket_name
        self.state_bucket = state.bucket.bucket
        self.state_key_arn = key.arn
        self.secrets_provider = alias.name.apply(lambda _: names.secrets_provider)
        self.action_role_arn = pulumi.Output.from_input(documents.action_role.arn if documents.action_role else None)
        ci_roles = {what: names.ci_role_arn(what) for what in CI_ROLES} if access.ci else {}
        self.ci_roles = pulumi.Output.from_input(ci_roles)
        self.execution_role_arn = pulumi.Output.from_input(documents.execution.arn)
        self.boundary_arn = pulumi.Output.from_input(documents.boundary.arn)
        self.projects = pulumi.Output.from_input({what: names.project(what) for what in PROJECTS})
        self.repository_url = repository.repository_url if repository else pulumi.Output.from_input(None)
        self.version = version.insecure_value.apply(lambda value: value or str(ACCOUNT_VERSION))
        self.register_outputs(
            {
                "staging_bucket": self.staging_bucket,
                "state_bucket": self.state_bucket,
                "state_key_arn": self.state_key_arn,
                "secrets_provider": self.secrets_provider,
                "action_role_arn": self.action_role_arn,
                "ci_roles": self.ci_roles,
                "execution_role_arn": self.execution_role_arn,
                "boundary_arn": self.boundary_arn,
                "projects": self.projects,
                "repository_url": self.repository_url,
                "version": self.version,
            }
        )

    def _digest(self, name: str, args: TargetAccountArgs) -> list[pulumi.Resource]:
        """Written before whatever a digest is about: an update that breaks off in the middle leaves the new digest, and
        not the one of what was whole."""
        if not args.digest:
            return []
        told = "Digest of what the account's stack was last asked to make"
        parameter = args.access.names.digest_parameter
        opts = pulumi.ResourceOptions(parent=self)
        return [self._parameter(f"{name}-bootstrap-digest", parameter, told, args.digest, opts)]

    def _version_parameter(
        self, name: str, parameter: str, access: EnvironmentAccess, opts: pulumi.ResourceOptions
    ) -> aws.ssm.Parameter:
        told = f"Version of what {access.visitor} finds here"
        return self._parameter(name, parameter, told, str(ACCOUNT_VERSION), opts)

    @staticmethod
    def _parameter(
        name: str, parameter: str, description: str, value: str, opts: pulumi.ResourceOptions
    ) -> aws.ssm.Parameter:
        return aws.ssm.Parameter(
            name,
            name=parameter,
            description=description,
            type="String",
            insecure_value=value,  # the provider takes every other value for a secret
            opts=opts,
        )

    def _state(self, name: str, args: TargetAccountArgs) -> tuple[PrivateBucket, aws.kms.Key, aws.kms.Alias]:
        """Where the engine keeps the environment's state, and the key that encrypts it and the secrets in it."""
        names = args.access.names
        kept = pulumi.ResourceOptions(parent=self, protect=args.protect)
        key = aws.kms.Key(
            f"{name}-state",
            description=f"State of {names.prefix}",
            enable_key_rotation=True,
            deletion_window_in_days=KEY_DAYS,
            policy=to_json(state_key_policy(names)),
            opts=kept,
        )
        alias = aws.kms.Alias(f"{name}-state", name=names.state_key_alias, target_key_id=key.id, opts=kept)
        bucket = private_bucket(
            f"{name}-state",
            PrivateBucketArgs(
                names.state_bucket,
                to_json(state_bucket_policy(names)),
                key_arn=key.arn,
                old_versions_days=STATE_VERSIONS_DAYS,
            ),
            self,
            protect=args.protect,
        )
        return bucket, key, alias

    def _roles_and_projects(
        self, documents: AccountDocuments, keyed: pulumi.Output[AccountDocuments], after: list[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        """`keyed` are the same documents with the ARNs of keys that are made here."""
        child = pulumi.ResourceOptions(parent=self, depends_on=after)

        def policy(document: PolicyDocument) -> aws.iam.Policy:
            text = keyed.apply(lambda made: to_json(made.managed_policy(document.arn)))
            return declared.managed_policy(document, child, text)

        def role(document: RoleDocument, after: list[aws.iam.Policy]) -> pulumi.Resource:
            def inline(name: str) -> pulumi.Output[Document]:
                return keyed.apply(lambda made: made.inline_policy(document.arn, name))

            return declared.role(document, child, after, {name: inline(name) for name in document.policies})

        managed = {p.arn: policy(p) for p in (documents.boundary, *documents.policies)}
        roles = {}
        for document in documents.roles:
            # The boundary of the environment does not stand on our own roles, but guards in them name it.
            needed = [made for arn, made in managed.items() if arn in document.managed_policies]
            roles[document.arn] = role(document, needed)
        projects = [declared.project(p, child, [roles[p.role_arn]]) for p in documents.projects]
        return [*managed.values(), *roles.values(), *projects]

    def _repository(self, args: TargetAccountArgs) -> aws.ecr.Repository:
        names = args.access.names
        kept = pulumi.ResourceOptions(parent=self, protect=args.protect)
        repository, _ = image_repository(names.repository, names, kept, scan=True)
        aws.ecr.LifecyclePolicy(
            names.repository,
            repository=repository.name,
            policy=UNTAGGED_EXPIRE,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return repository
