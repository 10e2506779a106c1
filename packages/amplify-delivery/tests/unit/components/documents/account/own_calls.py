"""What of AWS the product calls itself, found in its code: by which command or program a call can be reached.

A function reaches what it names: functions, classes with all of their methods, tables of functions. So more may be
found than is ever made, and nothing less: what is found and not made, `test_own_calls` says why.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import amplify_delivery
from amplify_delivery.delivery.engine import automation_api, engine
from amplify_delivery.export import read
from unit.sources import parsed

_ROOT = Path(amplify_delivery.__file__).parent.parent

ACTIONS: Mapping[str, tuple[str, ...]] = {
    operation: tuple(actions.split())
    for operation, actions in {
        "abort_multipart_upload": "s3:AbortMultipartUpload",
        "assume_role": "sts:AssumeRole",
        "assume_role_with_web_identity": "sts:AssumeRoleWithWebIdentity",
        "batch_delete_image": "ecr:BatchDeleteImage",
        "batch_get_builds": "codebuild:BatchGetBuilds",
        "batch_get_image": "ecr:BatchGetImage",
        "batch_get_projects": "codebuild:BatchGetProjects",
        "batch_write_item": "dynamodb:BatchWriteItem",
        "continue_update_rollback": "cloudformation:ContinueUpdateRollback",
        "copy_object": "s3:GetObject s3:PutObject",
        "create_log_stream": "logs:CreateLogStream",
        "create_stack": "cloudformation:CreateStack",
        "delete_bucket": "s3:DeleteBucket",
        "delete_object": "s3:DeleteObject",
        "delete_objects": "s3:DeleteObject",
        "delete_secret": "secretsmanager:DeleteSecret",
        "delete_stack": "cloudformation:DeleteStack",
        "delete_table": "dynamodb:DeleteTable",
        "describe_account_limits": "cloudformation:DescribeAccountLimits",
        "describe_alarms": "cloudwatch:DescribeAlarms",
        "describe_image_scan_findings": "ecr:DescribeImageScanFindings",
        "describe_images": "ecr:DescribeImages",
        "describe_key": "kms:DescribeKey",
        "describe_log_groups": "logs:DescribeLogGroups",
        "describe_notification_rule": "codestar-notifications:DescribeNotificationRule",
        "describe_parameters": "ssm:DescribeParameters",
        "describe_regions": "ec2:DescribeRegions",
        "describe_repositories": "ecr:DescribeRepositories",
        "describe_secret": "secretsmanager:DescribeSecret",
        "describe_stack_drift_detection_status": "cloudformation:DescribeStackDriftDetectionStatus",
        "describe_stack_events": "cloudformation:DescribeStackEvents",
        "describe_stack_resource": "cloudformation:DescribeStackResource",
        "describe_stack_resource_drifts": "cloudformation:DescribeStackResourceDrifts",
        "describe_stack_resources": "cloudformation:DescribeStackResources",
        "describe_stacks": "cloudformation:DescribeStacks",
        "describe_table": "dynamodb:DescribeTable",
        "describe_time_to_live": "dynamodb:DescribeTimeToLive",
        "describe_user_pool": "cognito-idp:DescribeUserPool",
        "describe_user_pool_domain": "cognito-idp:DescribeUserPoolDomain",
        "detect_stack_drift": "cloudformation:DetectStackDrift",
        "filter_log_events": "logs:FilterLogEvents",
        "get_account_settings": "lambda:GetAccountSettings",
        "get_account_summary": "iam:GetAccountSummary",
        "get_api": "apigateway:GET",
        "get_apis": "apigateway:GET",
        "get_authorization_token": "ecr:GetAuthorizationToken",
        "get_aws_default_service_quota": "servicequotas:GetAWSDefaultServiceQuota",
        "get_branch": "codecommit:GetBranch",
        "get_bucket_notification_configuration": "s3:GetBucketNotification",
        "get_bucket_tagging": "s3:GetBucketTagging",
        "get_bucket_versioning": "s3:GetBucketVersioning",
        "get_caller_identity": "sts:GetCallerIdentity",
        "get_connection": "codeconnections:GetConnection",
        "get_function": "lambda:GetFunction",
        "get_integrations": "apigateway:GET",
        "get_key_policy": "kms:GetKeyPolicy",
        "get_object": "s3:GetObject",
        "get_parameter": "ssm:GetParameter",
        "get_parameters": "ssm:GetParameters",
        "get_parameters_by_path": "ssm:GetParametersByPath",
        "get_pipeline": "codepipeline:GetPipeline",
        "get_pipeline_execution": "codepipeline:GetPipelineExecution",
        "get_policy": "iam:GetPolicy lambda:GetPolicy",
        "get_policy_version": "iam:GetPolicyVersion",
        "get_region_opt_status": "account:GetRegionOptStatus",
        "get_resource_policy": "dynamodb:GetResourcePolicy",
        "get_role": "iam:GetRole",
        "get_role_policy": "iam:GetRolePolicy",
        "get_routes": "apigateway:GET",
        "get_service_quota": "servicequotas:GetServiceQuota",
        "get_stack_policy": "cloudformation:GetStackPolicy",
        "get_stages": "apigateway:GET",
        "get_template": "cloudformation:GetTemplate",
        "head_bucket": "s3:ListBucket",
        "head_object": "s3:GetObject",
        "list_aliases": "kms:ListAliases",
        "list_api_keys": "appsync:ListApiKeys",
        "list_attached_role_policies": "iam:ListAttachedRolePolicies",
        "list_buckets": "s3:ListAllMyBuckets",
        "list_exports": "cloudformation:ListExports",
        "list_functions": "lambda:ListFunctions",
        "list_images": "ecr:ListImages",
        "list_keys": "kms:ListKeys",
        "list_multipart_uploads": "s3:ListBucketMultipartUploads",
        "list_notification_rules": "codestar-notifications:ListNotificationRules",
        "list_object_versions": "s3:ListBucketVersions",
        "list_objects_v2": "s3:ListBucket",
        "list_pipeline_executions": "codepipeline:ListPipelineExecutions",
        "list_policies": "iam:ListPolicies",
        "list_resource_requests": "cloudformation:ListResourceRequests",
        "list_resource_tags": "kms:ListResourceTags",
        "list_role_policies": "iam:ListRolePolicies",
        "list_roles": "iam:ListRoles",
        "list_service_quotas": "servicequotas:ListServiceQuotas",
        "list_stack_resources": "cloudformation:ListStackResources",
        "list_stacks": "cloudformation:ListStacks",
        "list_tables": "dynamodb:ListTables",
        "list_tags_for_resource": "logs:ListTagsForResource ssm:ListTagsForResource",
        "put_image": "ecr:PutImage",
        "put_log_events": "logs:PutLogEvents",
        "put_object": "s3:PutObject",
        "put_parameter": "ssm:PutParameter",
        "rollback_stack": "cloudformation:RollbackStack",
        "scan": "dynamodb:Scan",
        "schedule_key_deletion": "kms:ScheduleKeyDeletion",
        "simulate_principal_policy": "iam:SimulatePrincipalPolicy",
        "start_build": "codebuild:StartBuild",
        "start_pipeline_execution": "codepipeline:StartPipelineExecution",
        "update_assume_role_policy": "iam:UpdateAssumeRolePolicy",
        "update_stack": "cloudformation:UpdateStack",
        "update_termination_protection": "cloudformation:UpdateTerminationProtection",
    }.items()
}
"""What AWS asks for each operation that the product calls."""

NO_OPERATIONS = {
    "publish": "our own function",
    "query": "a word",
    "update_pipeline": "our own command",
    "validate_template": "the linter's method",
    "verify": "a certificate's file",
}
"""Names of operations of AWS that are something else in our code."""
ELSEWHERE = {
    ("create_stack", engine.__name__): "of Pulumi's engine",
    ("list_stacks", automation_api.__name__): "of Pulumi's engine",
    ("list_stacks", engine.__name__): "of Pulumi's engine",
    ("scan", read.__name__): "the export's files",
}


class Code:
    """The product's modules: what each function, class and table of a module names."""

    def __init__(self) -> None:
        self._modules: dict[str, ast.Module] = {}
        self._imports: dict[str, dict[str, str]] = {}
        self._nodes: dict[str, ast.AST] = {}
        for file in sorted(_ROOT.rglob("*.py")):
            parts = file.relative_to(_ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self._modules[name] = tree = parsed(file)
            self._imports[name] = dict(_imported(tree))
            self._nodes |= {f"{name}.{what}": node for what, node in _defined(tree)}
        self._parts: dict[str, tuple[frozenset[tuple[str, ...]], frozenset[str]]] = {}
        self._uses: dict[str, frozenset[str]] = {}

    def reachable(self, starts: Iterable[str], but: Collection[str] = ()) -> frozenset[str]:
        """The qualified names that can be reached from those of functions, other ways than through `but`."""
        seen, todo = set[str](), list(starts)
        while todo:
            name = todo.pop()
            if name not in seen and name not in but:
                seen.add(name)
                todo += self._named(name)
        return frozenset(seen)

    def operations(self, names: Iterable[str]) -> frozenset[str]:
        """The operations of AWS that these name."""
        found = ((op, self._module(name)) for name in names for op in self._read(name)[1] & ACTIONS.keys())
        return frozenset(op for op, module in found if (op, module) not in ELSEWHERE)

    def every(self) -> frozenset[str]:
        """Every name."""
        return frozenset(self._nodes)

    def words(self) -> frozenset[str]:
        """All attributes and texts."""
        return frozenset().union(*(_read(tree)[1] for tree in self._modules.values()))

    def _read(self, name: str) -> tuple[frozenset[tuple[str, ...]], frozenset[str]]:
        if name not in self._parts:
            self._parts[name] = _read(self._nodes[name])
        return self._parts[name]

    def _module(self, name: str) -> str:
        while name not in self._modules:
            name = name.rpartition(".")[0]
        return name

    def _named(self, name: str) -> frozenset[str]:
        if name not in self._uses:
            module = self._module(name)
            found = (self._resolved(module, chain) for chain in self._read(name)[0])
            self._uses[name] = frozenset(one for one in found if one)
        return self._uses[name]

    def _resolved(self, module: str, chain: tuple[str, ...]) -> str | None:
        """What `chain` (`a.b`) is in a module, through whatever hands it on."""
        imports = self._imports[module]
        whole = ".".join((imports.get(chain[0], f"{module}.{chain[0]}"), *chain[1:]))
        for _ in range(len(self._modules)):
            if whole in self._nodes:
                return whole
            owner, _, last = whole.rpartition(".")
            if last in self._imports.get(owner, {}):
                whole = self._imports[owner][last]
            elif owner.count("."):
                # An attribute of what was imported: that itself.
                return self._resolved(module, chain[:-1]) if len(chain) > 1 else None
            else:
                return None
        return None


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Wherever they stand: in functions, too. Of statements alone, since an import is one: most of it are others."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((a.asname or a.name, f"{node.module}.{a.name}") for a in node.names)
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            within = getattr(node, part, ())
            todo += within if isinstance(within, list) else ()


def _defined(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((target.id, node.value) for target in targets if isinstance(target, ast.Name))


def _read(node: ast.AST) -> tuple[frozenset[tuple[str, ...]], frozenset[str]]:
    """Names, with their attributes from the left (`a`, `a.b`); attributes, and texts that may name a paginator."""
    chains, words, todo = set[tuple[str, ...]](), set[str](), [node]
    while todo:
        part = todo.pop()
        chain: list[str] = []
        while isinstance(part, ast.Attribute):
            chain.append(part.attr)
            part = part.value
        words.update(chain)
        if isinstance(part, ast.Name):
            chains.add((part.id, *reversed(chain)))
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            words.add(part.value)
        else:
            todo += ast.iter_child_nodes(part)
    return frozenset(chains), frozenset(words)


@cache
def code() -> Code:
    """The product's own."""
    return Code()
