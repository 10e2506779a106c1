"""Checks of the export's structure: its name, its stacks, what the exporter lost."""

from __future__ import annotations

from amplify_export.checks.context import Context, Found
from amplify_export.model import ROOT_PARAMETERS, STACK_TYPE, ExportedStack
from amplify_export.names import StackName
from amplify_export.parameters import text
from amplify_export.read import MANIFEST, MAPPING, REEXPORT, ROOT_TEMPLATE

TRIGGER_STACK = "AuthTriggerCustomLambdaStack"
TRIGGER_TEMPLATE = "auth/auth-trigger-cloudformation-template.json"


class StackNameShape:
    """The stack's name is not `amplify-PROJECT-ENV-SUFFIX`. Templates take the name apart at its hyphens."""

    id = "AD201"
    severity = "refused"

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

    def find(self, context: Context) -> Found:
        for _, stack in context.export.root.walk():
            for name in _without_template(stack):
                if name != TRIGGER_STACK:
                    yield stack.file, f"nested stack {name} is not in the manifest", REEXPORT


class NodeWithoutStack:
    """The manifest has a nested stack that no template creates."""

    id = "AD204"
    severity = "refused"

    def find(self, context: Context) -> Found:
        for path, stack in context.export.root.walk():
            for name in stack.nested:
                if stack.resources.get(name, {}).get("Type") != STACK_TYPE:
                    where = "/".join((*path, name))
                    yield MANIFEST, f"nested stack {where} is no {STACK_TYPE} in {stack.file}", REEXPORT


class MappingWithoutNode:
    """A resource of category-stack-mapping.json has no nested stack: it would silently be missing."""

    id = "AD205"
    severity = "refused"

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

    def find(self, context: Context) -> Found:
        root = context.export.root
        if TRIGGER_STACK in root.nested:
            return
        in_root = TRIGGER_STACK in root.resources
        for name, stack in root.nested.items():
            connections = stack.parameters.get("authTriggerConnections")
            pools = [r for r in stack.resources.values() if r["Type"] == "AWS::Cognito::UserPool"]
            own = any("LambdaConfig" in r.get("Properties", {}) for r in pools)
            if pools and not own and (in_root or text(connections or "").strip() not in ("", "[]")):
                resource = context.assets.resources.get(name)
                folder = resource.name if resource else "NAME"
                first = "" if in_root else "run `amplify push` once, then `amplify export` again; "
                yield (
                    stack.file,
                    "its Lambda triggers are lost in the export",
                    f"{first}copy amplify/backend/auth/{folder}/build/auth-trigger-cloudformation-template.json "
                    f"of the Amplify project to {TRIGGER_TEMPLATE} in the export: it is taken up from there",
                )
                return


class NoResources:
    """A template without resources, which CloudFormation refuses ("At least one Resources member must be
    defined"): a placeholder that costs nothing is put in, a WaitConditionHandle."""

    id = "AD207"
    severity = "repaired"

    def find(self, context: Context) -> Found:
        for _, stack in context.export.root.walk():
            if not stack.resources:
                yield stack.file, "has no resources; a placeholder is added", ""
