"""Checks of the export's structure: its name, its stacks, what the exporter lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amplify_delivery.export.assets import APPSYNC_FOLDER
from amplify_delivery.export.checks.context import Context, Found
from amplify_delivery.export.documents import several
from amplify_delivery.export.model import ROOT_PARAMETERS, STACK_TYPE, ExportedStack
from amplify_delivery.export.names import StackName
from amplify_delivery.export.read import MANIFEST, MAPPING, REEXPORT, ROOT_TEMPLATE, TRIGGER_STACK, TRIGGER_TEMPLATE
from amplify_delivery.export.templates.boundary import own_boundaries
from amplify_delivery.export.templates.literals import text
from amplify_delivery.findings import listed


class StackNameShape:
    """The stack's name is not `amplify-PROJECT-ENV-SUFFIX`. Templates take the name apart at its hyphens."""

    id = "AD201"
    severity = "refused"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "name the stack so in the manifest, together with the three root parameters that are made from it"
    on_aws = "`Fn::Select cannot select nonexistent value at index 3`"

    def find(self, context: Context) -> Found:
        name = context.export.stack_name
        if StackName.parse(name) is None:
            yield (
                MANIFEST,
                f"stackName {name!r} cannot become amplify-PROJECT-ENV-SUFFIX",
                "its four parts must be letters and digits; a name made by an override or by an old CLI has to be "
                "changed in the manifest, together with the three root parameters",
            )


class RootParameters:
    """The root lacks one of AuthRoleName, UnauthRoleName, DeploymentBucketName."""

    id = "AD202"
    severity = "refused"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "run `amplify export` again, and commit all that it writes"
    on_aws = "`Parameters: [DeploymentBucketName] must have values`"

    def find(self, context: Context) -> Found:
        root = context.export.root
        for name in ROOT_PARAMETERS:
            if not text(root.parameters.get(name, "")):
                yield MANIFEST, f"the root has no value for parameter {name}", REEXPORT
            if name not in root.declared:
                yield ROOT_TEMPLATE, f"does not declare parameter {name}", REEXPORT


def _without_template(stack: ExportedStack) -> list[str]:
    return [
        name
        for name, item in stack.resources.items()
        if item["Type"] == STACK_TYPE and "TemplateURL" not in item.get("Properties", {}) and name not in stack.nested
    ]


class StackWithoutNode:
    """A template holds a nested stack for which the manifest has no template: it could not be created."""

    id = "AD203"
    severity = "refused"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html"
    remedy = "run `amplify export` again, and commit all that it writes"
    on_aws = "`Property TemplateURL is required`"

    def find(self, context: Context) -> Found:
        for _, stack in context.export.root.walk():
            for name in _without_template(stack):
                if name != TRIGGER_STACK:  # AD206 says it
                    yield stack.file, f"nested stack {name} is not in the manifest", REEXPORT


class NodeWithoutStack:
    """The manifest has a nested stack that no template creates."""

    id = "AD204"
    severity = "refused"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "run `amplify export` again, and commit all that it writes"
    on_aws = ""

    def find(self, context: Context) -> Found:
        for path, stack in context.export.root.walk():
            for name in stack.nested:
                if stack.resources.get(name, {}).get("Type") != STACK_TYPE:
                    where = "/".join((*path, name))
                    yield MANIFEST, f"nested stack {where} is not of type {STACK_TYPE} in {stack.file}", REEXPORT


class MappingWithoutNode:
    """A resource of category-stack-mapping.json has no nested stack: it would silently be missing."""

    id = "AD205"
    severity = "refused"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "run `amplify export` again, and commit all that it writes"
    on_aws = ""

    def find(self, context: Context) -> Found:
        for resource in context.export.resources:
            if resource.logical_id not in context.export.root.nested:
                yield (
                    MAPPING,
                    f"{resource.category}/{resource.name} ({resource.service}) has no nested stack "
                    f"{resource.logical_id} in the manifest",
                    REEXPORT,
                )


class TriggersLost:
    """Cognito's Lambda triggers are configured but not exported (amplify-cli 13297): sign-up would silently run
    without them. The exporter looks for their template in the wrong folder."""

    id = "AD206"
    severity = "refused"
    source = "https://github.com/aws-amplify/amplify-cli/issues/13297"
    remedy = (
        "copy auth-trigger-cloudformation-template.json of the Amplify project into the export, where the finding says"
    )
    on_aws = ""

    def find(self, context: Context) -> Found:
        root = context.export.root
        if TRIGGER_STACK in root.nested:
            return
        pushed = TRIGGER_STACK in root.resources
        configured = [n for n, stack in root.nested.items() if _has_lost_triggers(stack)]
        if not pushed and not configured:
            return
        name = configured[0] if configured else ""
        resource = context.assets.resources.get(name)
        folder = resource.name if resource else "NAME"
        first = "" if pushed else "run `amplify push` once, then `amplify export` again; "
        yield (
            root.nested[name].file if name else root.file,
            "its Lambda triggers are lost in the export",
            f"{first}copy amplify/backend/auth/{folder}/build/auth-trigger-cloudformation-template.json "
            f"of the Amplify project to {TRIGGER_TEMPLATE} in the export: it is taken up from there",
        )


def _has_lost_triggers(stack: ExportedStack) -> bool:
    """Whether a stack has user pools without triggers although the manifest connects some."""
    pools = [r for r in stack.resources.values() if r["Type"] == "AWS::Cognito::UserPool"]
    connections = stack.parameters.get("authTriggerConnections")
    connected = connections is not None and text(connections).strip() not in ("", "[]")
    return bool(pools) and connected and not any("LambdaConfig" in r.get("Properties", {}) for r in pools)


class TriggersTakenUp:
    """The template of Cognito's Lambda triggers was put back into the export: it is taken up (see AD206)."""

    id = "AD208"
    severity = "repaired"
    source = "https://github.com/aws-amplify/amplify-cli/issues/13297"
    remedy = "nothing"
    on_aws = ""

    def find(self, context: Context) -> Found:
        root = context.export.root
        stack = root.nested.get(TRIGGER_STACK)
        if stack is not None and stack.file == TRIGGER_TEMPLATE:
            yield stack.file, f"taken up as nested stack {TRIGGER_STACK}", ""


class NoResources:
    """A template without resources, which CloudFormation refuses ("At least one Resources member must be
    defined"): a placeholder that costs nothing is put in, a WaitConditionHandle."""

    id = "AD207"
    severity = "repaired"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html"
    remedy = "nothing"
    on_aws = "`At least one Resources member must be defined`"

    def find(self, context: Context) -> Found:
        for _, stack in context.export.root.walk():
            if not stack.resources:
                yield stack.file, "has no resources; a placeholder is added", ""


class UnusedTemplate:
    """A template that no nested stack uses: of several templates of one resource the manifest names only the
    last."""

    id = "AD209"
    severity = "warning"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "merge it into the resource's other template in the Amplify project, and export again"
    on_aws = ""

    def find(self, context: Context) -> Found:
        used = {stack.file for _, stack in context.export.root.walk()}
        for file in sorted(context.export.files):
            folders, _, name = file.rpartition("/")
            named = "template" in name.lower() or folders.endswith(f"{APPSYNC_FOLDER}/stacks")
            template = folders and named and file.endswith((".json", ".yml", ".yaml"))
            if template and file not in used and file != TRIGGER_TEMPLATE:  # of which AD206 and AD208 speak
                yield file, "no nested stack uses this template", "merge it into the resource's other template"


class Macro:
    """A template with a Transform, of its own or in one of its resources (`Fn::Transform`): CloudFormation expands it
    (which needs CAPABILITY_AUTO_EXPAND), so nobody can check, compare or count beforehand what it makes."""

    id = "AD210"
    severity = "warning"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-section-structure.html"
    remedy = "write the resources out, if you can"
    on_aws = ""

    def find(self, context: Context) -> Found:
        for _, stack in context.export.root.walk():
            called = b"Transform" in context.export.read(stack.file)
            inside = _macros(stack.template) if called else ()
            names = [*several(stack.template.get("Transform")), *inside]
            if names:
                found = listed(list(dict.fromkeys(n if isinstance(n, str) else str(n) for n in names)))
                yield stack.file, f"is expanded by {found} when it is deployed", "write the resources out, if you can"


def _macros(template: Any) -> Iterator[str]:
    """The names of all `Fn::Transform` in a template. A loop that goes down by itself: templates are deep and many."""
    pending = [template]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            call = value.get("Fn::Transform")
            if isinstance(call, dict):
                yield str(call.get("Name"))
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


class OwnBoundary:
    """A role or user with a permissions boundary of its own (`amplify init --permissions-boundary`, or an override).
    IAM takes one: it stays in a personal stack, and is replaced in an environment that has a boundary, whose account
    would not let the role be made otherwise."""

    id = "AD211"
    severity = "warning"
    source = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"
    remedy = "nothing, if it was the account's; what a role must never do, deny in its own policies"
    on_aws = ""

    def find(self, context: Context) -> Found:
        for _, stack in context.export.root.walk():
            names = own_boundaries(stack.resources)
            if names:
                yield (
                    stack.file,
                    f"a permissions boundary of their own, which an environment's replaces: {listed(names)}",
                    "nothing, if it was the account's; what a role must never do, deny in its own policies",
                )
