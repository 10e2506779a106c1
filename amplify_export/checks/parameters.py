"""Checks of parameters: what nobody supplies, what no template declares, what must not be in the clear."""

from __future__ import annotations

from amplify_export.checks.context import Context, Found
from amplify_export.model import ROOT_PARAMETERS
from amplify_export.parameters import is_secret, text
from amplify_export.read import MANIFEST, REEXPORT


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)


class RoleNamesSupplied:
    """A template needs the auth roles' names and the exporter does not pass them
    (amplify-cli-export-construct 73): the root's own parameters are passed."""

    id = "AD301"
    severity = "repaired"

    def find(self, context: Context) -> Found:
        for name, plan in context.plans.items():
            if plan.added_roles:
                yield context.export.root.nested[name].file, f"{_listed(plan.added_roles)} passed from the root", ""


class UndeclaredParameter:
    """The manifest or the parent passes a parameter that the template does not declare, which CloudFormation
    refuses (amplify-cli-export-construct 66: AuthModeLastUpdated): it is not passed."""

    id = "AD302"
    severity = "warning"

    def find(self, context: Context) -> Found:
        for name, plan in context.plans.items():
            if plan.dropped:
                yield (
                    context.export.root.nested[name].file,
                    f"does not declare {_listed(plan.dropped)}, which {MANIFEST} passes; not passed",
                    "nothing, if the template is right; else export again",
                )


class MadeStrings:
    """Booleans, numbers and lists of the manifest are passed as CloudFormation takes them: as strings."""

    id = "AD303"
    severity = "repaired"

    def find(self, context: Context) -> Found:
        for name, plan in context.plans.items():
            if plan.stringified:
                yield context.export.root.nested[name].file, f"{_listed(plan.stringified)} made strings", ""


class RequiredParameter:
    """A parameter without default that nobody supplies: CloudFormation would refuse the stack."""

    id = "AD304"
    severity = "refused"

    def find(self, context: Context) -> Found:
        root = context.export.root
        for name in root.declared:
            if "Default" not in root.declared[name] and name not in root.parameters and name not in ROOT_PARAMETERS:
                yield root.file, f"nobody supplies the root's parameter {name}", REEXPORT
        for name, plan in context.plans.items():
            missing = [p for p in plan.missing if (name, p) not in context.secrets]
            if missing:
                yield (
                    root.nested[name].file,
                    f"nobody supplies {_listed(missing)}",
                    f"set it under `parameters: {{{name}: ...}}` in the manifest, or export again",
                )
        for path, stack in root.walk():
            if len(path) == 0:
                continue
            for child_name, child in stack.nested.items():
                passed = {*stack.wired(child_name), *child.parameters}
                missing = [p for p, d in child.declared.items() if "Default" not in d and p not in passed]
                if missing:
                    yield child.file, f"{stack.file} does not pass {_listed(missing)}", REEXPORT


class PlainTextSecret:
    """The manifest, a file meant to be committed, holds a client secret in plain text."""

    id = "AD305"
    severity = "refused"

    def find(self, context: Context) -> Found:
        for name, stack in context.export.root.nested.items():
            for parameter in stack.parameters:
                if is_secret(stack, parameter) and (name, parameter) not in context.secrets:
                    yield (
                        MANIFEST,
                        f"{name}.{parameter} holds a secret in plain text",
                        "take it out of the file and out of git's history, then give each environment its own: "
                        f"`pulumi config set --secret --path 'parameters.{name}.{parameter}' VALUE -s ENV`",
                    )


class ValueNotAllowed:
    """A value of the manifest that the template's AllowedValues do not hold."""

    id = "AD306"
    severity = "refused"

    def find(self, context: Context) -> Found:
        for name, plan in context.plans.items():
            for parameter, value in plan.not_allowed.items():
                stack = context.export.root.nested[name]
                allowed = [text(a) for a in stack.declared[parameter]["AllowedValues"]]
                yield stack.file, f"{parameter} is {value!r}, allowed are {_listed(allowed)}", REEXPORT


class FunctionSecrets:
    """A function reads secrets from Parameter Store under a path that `amplify add function` filled in the
    account and environment of the export only."""

    id = "AD307"
    severity = "warning"

    def find(self, context: Context) -> Found:
        for name, stack in context.export.root.nested.items():
            path = stack.parameters.get("secretsPathAmplifyAppId")
            if path:
                yield (
                    stack.file,
                    f"{name} reads secrets under /amplify/{text(path)}/ENV/, which exist only where they were added",
                    "create these SecureString parameters in the account that you deliver to",
                )


class RootNamesOverridden:
    """The deployment bucket or an auth role has a name that is not made from the stack's: every environment
    would get the same one."""

    id = "AD308"
    severity = "warning"

    def find(self, context: Context) -> Found:
        root = context.export.root
        for name in ROOT_PARAMETERS:
            value = text(root.parameters.get(name, ""))
            if value and not value.startswith(context.export.stack_name):
                yield (
                    MANIFEST,
                    f"{name} is {value!r}, the same in every environment",
                    f"set `parameters: {{root: {{{name}: ...}}}}` in each environment's stack file",
                )
