"""Checks of parameters: what nobody supplies, what no template declares, what must not be in the clear."""

from __future__ import annotations

from collections.abc import Iterator

from amplify_delivery.export.assets import CDK_ASSET_PARAMETER
from amplify_delivery.export.checks.context import Context, Found
from amplify_delivery.export.model import ROOT_PARAMETERS, ExportedStack
from amplify_delivery.export.read import MANIFEST, REEXPORT
from amplify_delivery.export.templates.literals import text
from amplify_delivery.export.values.parameters import allowed, holds_secret, is_no_echo, is_secret, secret_command
from amplify_delivery.findings import listed


class RoleNamesSupplied:
    """A template needs the auth roles' names and the exporter does not pass them
    (amplify-cli-export-construct 73): the root's own parameters are passed."""

    id = "AD301"
    severity = "repaired"
    source = "https://github.com/aws-amplify/amplify-cli-export-construct/issues/73"
    remedy = "nothing"
    on_aws = "`Parameters: [authRoleName, unauthRoleName] must have values`"

    def find(self, context: Context) -> Found:
        for name, plan in context.plans.items():
            if plan.added_roles:
                yield context.export.root.nested[name].file, f"passed from the root: {listed(plan.added_roles)}", ""


class UndeclaredParameter:
    """The manifest or the parent passes a parameter that the template does not declare, which CloudFormation
    refuses (amplify-cli-export-construct 66: AuthModeLastUpdated): it is not passed."""

    id = "AD302"
    severity = "warning"
    source = "https://github.com/aws-amplify/amplify-cli-export-construct/issues/66"
    remedy = "nothing, if the template is right; else export again"
    on_aws = "`Parameters: [AuthModeLastUpdated] do not exist in the template`"

    def find(self, context: Context) -> Found:
        root = context.export.root
        own = [name for name in root.parameters if name not in root.declared]
        undeclared = [(root.file, own), *((root.nested[n].file, p.undeclared) for n, p in context.plans.items())]
        for file, names in undeclared:
            if names:
                yield (
                    file,
                    f"does not declare {listed(names)}, which is passed to it; not passed any more",
                    "nothing, if the template is right; else export again",
                )


class MadeStrings:
    """Booleans, numbers and lists of the manifest are passed as CloudFormation takes them: as strings."""

    id = "AD303"
    severity = "repaired"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"
    remedy = "nothing"
    on_aws = ""

    def find(self, context: Context) -> Found:
        for name, plan in context.plans.items():
            if plan.stringified:
                yield context.export.root.nested[name].file, f"made strings: {listed(plan.stringified)}", ""


class RequiredParameter:
    """A parameter without default that nobody supplies: CloudFormation would refuse the stack."""

    id = "AD304"
    severity = "refused"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"
    remedy = "give it a value in the manifest, or of a secret in each environment's stack file"
    on_aws = "`Parameters: [X] must have values`"

    def find(self, context: Context) -> Found:
        root = context.export.root
        for name in root.declared:
            if "Default" not in root.declared[name] and name not in root.parameters and name not in ROOT_PARAMETERS:
                yield root.file, f"nobody supplies the root's parameter {name}", REEXPORT
        for name, plan in context.plans.items():
            # Of the CDK's assets AD430 speaks: no value of theirs would help.
            missing = [n for n in plan.missing if not n.startswith(CDK_ASSET_PARAMETER)]
            file, declared = root.nested[name].file, root.nested[name].declared
            for parameter in [n for n in missing if is_no_echo(declared[n])]:
                missing.remove(parameter)
                remedy = f"give each environment its own, {secret_command(name, parameter)}"
                yield file, f"nobody supplies the secret {parameter}", remedy
            if missing:
                yield (
                    file,
                    f"nobody supplies {listed(missing)}",
                    f"give it a value in {MANIFEST}, under loadNestedStacks.{name}.parameters, or export again",
                )
        for path, stack in root.walk():
            if not path:
                continue
            for child_name, child in stack.nested.items():
                passed = {*stack.wired(child_name), *child.parameters}
                missing = [p for p, d in child.declared.items() if "Default" not in d and p not in passed]
                if missing:
                    yield child.file, f"{stack.file} does not pass {listed(missing)}", REEXPORT


def _secrets(context: Context) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and parameter of every secret in the manifest that no environment overrides."""
    for path, stack in context.export.root.walk():
        for parameter in stack.parameters:
            overridden = len(path) == 1 and (path[0], parameter) in context.secrets
            if is_secret(stack, parameter) and not overridden:
                yield path, parameter


class PlainTextSecret:
    """The manifest, a file meant to be committed, holds a client secret in plain text. Accepted only where
    every environment overrides it by a secret of its own."""

    id = "AD305"
    severity = "refused"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/security-best-practices.html"
    remedy = "take it out of the file and out of git's history, and give each environment its own as a secret"
    on_aws = ""

    def find(self, context: Context) -> Found:
        for path, parameter in _secrets(context):
            remedy = "take it out of the file and out of git's history"
            if len(path) == 1:
                remedy += f", then give each environment its own, {secret_command(path[0], parameter)}"
            yield MANIFEST, f"{'.'.join((*path, parameter))} holds a secret in plain text", remedy


class ValueNotAllowed:
    """A value of the manifest that the template's AllowedValues do not hold."""

    id = "AD306"
    severity = "refused"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"
    remedy = "put the value right in the Amplify project, and export again"
    on_aws = "`Parameter 'X' must be one of AllowedValues`"

    def find(self, context: Context) -> Found:
        for name, plan in context.plans.items():
            stack = context.export.root.nested[name]
            for parameter, value in plan.values.items():
                declaration = stack.declared[parameter]
                if value.source == "literal" and not allowed(declaration, value.text):
                    values = [text(a) for a in declaration["AllowedValues"]]
                    yield stack.file, f"{parameter} is {value.text[:60]!r}, allowed are {listed(values)}", REEXPORT


class ExportedAccount:
    """A value that holds in the exporting account only: the path of a function's secrets in Parameter Store, which
    `amplify add function` filled there, or the id of the Amplify app to which `amplify add hosting` adds a branch."""

    id = "AD307"
    severity = "warning"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "make the parameters in the account that you deliver to, or set the parameter in its stack file"
    on_aws = ""

    def find(self, context: Context) -> Found:
        services = {r.logical_id: r.service for r in context.export.resources}
        for name, stack in context.export.root.nested.items():
            path = stack.parameters.get("secretsPathAmplifyAppId")
            if path:
                yield (
                    stack.file,
                    f"{name} reads secrets under /amplify/{text(path)}/ENV/, which exist only where they were added",
                    "in the account that you deliver to, create the SecureString parameters that its code reads: "
                    f"/amplify/{text(path)}/ENV/AMPLIFY_{name.removeprefix('function')}_NAME",
                )
            app = stack.parameters.get("appId")
            if app and services.get(name) == "amplifyhosting":
                yield (
                    stack.file,
                    f"{name} is a branch of the Amplify app {text(app)}, which is there in the exporting account only",
                    f"set `parameters.{name}.appId` in the stack file of each environment of another account",
                )


class RootNamesOverridden:
    """The deployment bucket or an auth role has a name that is not made from the stack's: every environment
    would get the same one."""

    id = "AD308"
    severity = "warning"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "set the root's parameter in each environment's stack file"
    on_aws = "`X already exists`"

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


class SecretAsDefault:
    """A template declares a parameter without echo and gives it a default: whoever reads the template reads
    the secret."""

    id = "AD309"
    severity = "warning"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"
    remedy = "take the default out of the template and give the value to each environment as a secret"
    on_aws = ""

    def find(self, context: Context) -> Found:
        for _, stack in context.export.root.walk():
            for name in _telling_defaults(stack):
                remedy = "take the default out of the template and give the value to each environment as a secret"
                yield stack.file, f"the default of {name} (NoEcho) stands in plain text", remedy


def _telling_defaults(stack: ExportedStack) -> list[str]:
    return [n for n, d in stack.declared.items() if is_no_echo(d) and holds_secret(text(d.get("Default", "")))]


class NamedByStack:
    """A value of the manifest begins with the exported stack's name: in another environment it is made from
    that environment's stack name."""

    id = "AD310"
    severity = "repaired"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "nothing"
    on_aws = ""

    def find(self, context: Context) -> Found:
        for name, plan in context.plans.items():
            if plan.derived:
                yield context.export.root.nested[name].file, f"made from the stack's name: {listed(plan.derived)}", ""
