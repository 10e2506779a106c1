"""Checks of the files that templates need beside themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from amplify_delivery.export.archives import MAX_LAMBDA_UNZIPPED, ArchiveError, doubts, entry_names, unzipped
from amplify_delivery.export.assets import BUILDS_FOLDER, CDK_ASSET_PARAMETER, KEY_PARAMETER
from amplify_delivery.export.checks.context import Context, Found
from amplify_delivery.export.javascript import brings_no_former_sdk, entry_without_sdk
from amplify_delivery.export.model import ExportedStack
from amplify_delivery.export.read import REEXPORT
from amplify_delivery.export.templates.expressions import Ref, flatten
from amplify_delivery.findings import listed


def _folder(context: Context, name: str) -> str:
    resource = context.assets.resources[name]
    return f"{resource.category}/{resource.name}/{BUILDS_FOLDER}"


class NoArchive:
    """A function, layer or container API without its zip."""

    id = "AD401"
    severity = "refused"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "run `amplify export` again, and commit all that it writes"
    on_aws = ""

    def find(self, context: Context) -> Found:
        for name, stack in context.export.root.nested.items():
            if context.assets.needs_archive(stack) and not context.assets.layer_files(stack):
                files = context.assets.builds(name)
                if not any(f.endswith(".zip") for f in files):
                    yield _folder(context, name), f"holds no zip for {name}", REEXPORT


class SeveralArchives:
    """Two files where one zip belongs: nobody can tell which one is meant."""

    id = "AD402"
    severity = "refused"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "delete what does not belong to this export, or export again"
    on_aws = ""

    def find(self, context: Context) -> Found:
        for name, stack in context.export.root.nested.items():
            if not context.assets.needs_archive(stack):
                continue
            files, named = context.assets.builds(name), context.assets.layer_files(stack)
            extra = [f for f in files if f not in named] if named else files
            if len(extra) > (0 if named else 1):
                yield (
                    _folder(context, name),
                    f"holds {len(files)} files where {len(named) or 1} belong: {listed(files)}",
                    "delete what does not belong to this export, or export again",
                )


class BrokenArchive:
    """A zip that is none, is cut off, leaves its folder, or grows over Lambda's 250 MB when unzipped."""

    id = "AD403"
    severity = "refused"
    source = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
    remedy = "build the function again with less in it, and export again"
    on_aws = "`Unzipped size must be smaller than 262144000 bytes`, `Could not unzip uploaded file`"

    def find(self, context: Context) -> Found:
        for stack in context.export.root.nested.values():
            named = context.assets.layer_files(stack)
            files = named or tuple(filter(None, (context.assets.archive(stack),)))
            for file in files:
                if file not in context.export.files:
                    continue  # AD406 says it
                try:
                    context.archive_digest(file)
                except ArchiveError as error:
                    yield file, str(error), REEXPORT


class CdkAssets:
    """A custom resource of the CDK with an asset: Amplify neither uploads nor exports those (amplify-cli 9055, 13142),
    so neither the asset nor the bucket or the parameter that names it is in the account that is delivered to."""

    id = "AD430"
    severity = "refused"
    source = "https://github.com/aws-amplify/amplify-cli/issues/9055"
    remedy = "write short code inline (`Code.fromInline`), or make it a function of Amplify"
    on_aws = "`The specified bucket does not exist`"

    def find(self, context: Context) -> Found:
        for _, stack in context.export.root.walk():
            body = context.export.read(stack.file)
            if not any(sign in body for sign in _SIGNS):
                continue  # thousands of resources, and hardly ever one of the CDK's
            for name, item in stack.resources.items():
                asset = _cdk_asset(item.get("Properties"))
                if asset:
                    yield (
                        stack.file,
                        f"{name} takes {asset}, an asset of the CDK, which is not in the export",
                        _NO_ASSET,
                    )


_NO_ASSET = (
    "write short code inline (`Code.fromInline`), or make it a function of Amplify (`amplify add function`) and use "
    "its output; leave out what brings the CDK's own functions (autoDeleteObjects, BucketDeployment, log retention)"
)
_SIGNS = (b"cdk-", CDK_ASSET_PARAMETER.encode())
_CDK_BUCKET = re.compile(r"(cdk-[a-z0-9]{1,10}-(?:container-)?assets-)")


def _cdk_asset(properties: Any) -> str | None:
    """How properties name an asset of the CDK: its bucket (CDK 2) or a parameter (CDK 1)."""
    pending = [properties]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            match = _CDK_BUCKET.search(value)
            if match or value.startswith(CDK_ASSET_PARAMETER):
                return f"{match[1]}..." if match else value
        elif isinstance(value, dict):
            # Of a policy's resources it is no asset: who may read the CDK's bucket, need not.
            pending.extend(v for k, v in value.items() if k not in ("PolicyDocument", "Policies"))
        elif isinstance(value, list):
            pending.extend(value)
    return None


class DoubtfulArchive:
    """A zip as Windows packs it: Lambda unpacks it and calls fail, since `bootstrap` is not executable (amplify-cli
    5209), or names have back slashes. Or one with files that nobody but their owner may read."""

    id = "AD431"
    severity = "warning"
    source = "https://github.com/aws-amplify/amplify-cli/issues/5209"
    remedy = "build it on Linux or macOS (or in WSL), and export again"
    on_aws = "calls fail with `Permission denied`"

    def find(self, context: Context) -> Found:
        for stack in context.export.root.nested.values():
            named = context.assets.layer_files(stack)
            own = context.assets.archive(stack)
            runtime = bool(named) or any(_custom_runtime(item) for item in stack.resources.values())
            for file in (*named, *([own] if own else [])):
                if file in context.export.files:
                    for doubt in doubts(context.export.read(file), runtime=runtime):
                        yield file, doubt, "build it on Linux or macOS (or in WSL), and export again"


class NoHandler:
    """A function in JavaScript or Python whose handler is in no file of its zip: one that lies a folder deeper, has
    another name, or is of another language than the runtime."""

    id = "AD434"
    severity = "warning"
    source = "https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html"
    remedy = "correct the function's Handler, or what its build packs, and export again"
    on_aws = "calls fail with `Runtime.ImportModuleError: Error: Cannot find module 'index'`"

    def find(self, context: Context) -> Found:
        for stack in context.export.root.nested.values():
            file = context.assets.archive(stack)
            if not file or file not in context.export.files:
                continue
            for name, item in stack.resources.items():
                wanted = _module(item)
                if wanted is None:
                    continue
                module, extensions = wanted
                entries = entry_names(context.export.read(file))
                if entries and not any(_holds(entry, module, extensions) for entry in entries):
                    yield file, f"has no {module}{'|'.join(extensions)}, the handler of {name}", self.remedy


_EXTENSIONS = {"nodejs": (".js", ".mjs", ".cjs"), "python": (".py", ".pyc", ".so")}


def _module(item: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """The file of a function's handler without its extension, and which it may have; None where a layer, or what
    only the deployment knows, may bring it."""
    properties = item.get("Properties") or {}
    code, handler, runtime = (properties.get(name) for name in ("Code", "Handler", "Runtime"))
    own = isinstance(code, dict) and flatten(code.get("S3Key")) == [Ref(KEY_PARAMETER)] and not properties.get("Layers")
    if (
        item["Type"] != "AWS::Lambda::Function"
        or not own
        or not (isinstance(handler, str) and isinstance(runtime, str))
    ):
        return None
    language = next((known for known in _EXTENSIONS if runtime.startswith(known)), "")
    module = handler.rpartition(".")[0].removeprefix("./")
    if not language or not module or module.startswith(("/", "../")):
        return None
    return (module.replace(".", "/") if language == "python" else module), _EXTENSIONS[language]


def _holds(entry: str, module: str, extensions: Sequence[str]) -> bool:
    """Whether an entry of a zip is a module, or belongs to a package of that name."""
    return entry in {f"{module}{extension}" for extension in extensions} or entry.startswith(
        (f"{module}/", f"node_modules/{module}")
    )


class FormerSdk:
    """A function whose code loads the AWS SDK for JavaScript of version 2, which neither its zip nor its runtime holds:
    from nodejs18.x on there is version 3 only. A runtime that was raised without the code."""

    id = "AD433"
    severity = "warning"
    source = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html"
    remedy = "change the code to `@aws-sdk/client-...`, or add aws-sdk to the function's package.json, and export again"
    on_aws = "calls fail with `Runtime.ImportModuleError: Error: Cannot find module 'aws-sdk'`"

    def find(self, context: Context) -> Found:
        for stack in context.export.root.nested.values():
            file = context.assets.archive(stack)
            runtimes = [r for r in map(_without_sdk, stack.resources.values()) if r]
            if not runtimes or not file or file not in context.export.files:
                continue
            entry = entry_without_sdk(context.export.read(file))
            if entry:
                yield file, f"{entry} loads aws-sdk, which {runtimes[0]} does not bring", self.remedy


def _without_sdk(item: Mapping[str, Any]) -> str:
    """A function's runtime, if nothing but its zip can bring version 2 of the SDK."""
    properties = item.get("Properties") or {}
    alone = item["Type"] == "AWS::Lambda::Function" and not properties.get("Layers")
    return str(properties["Runtime"]) if alone and brings_no_former_sdk(properties.get("Runtime")) else ""


class LargeWithLayers:
    """A function that grows over Lambda's 250 MB together with the layers of this backend that it has."""

    id = "AD432"
    severity = "refused"
    source = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
    remedy = "build the function or the layer again with less in it, and export again"
    on_aws = "`Function code combined with layers exceeds the maximum allowed size of 262144000 bytes`"

    def find(self, context: Context) -> Found:
        nested = context.export.root.nested
        for name, stack in nested.items():
            own = context.assets.archive(stack)
            layers = [nested[layer] for layer in _layers(context, name, stack) if layer in nested]
            if not own or own not in context.export.files or not layers:
                continue
            parts = [_smallest(context, context.assets.layer_files(layer)) for layer in layers]
            total = unzipped(context.export.read(own)) + sum(parts)
            if total > MAX_LAMBDA_UNZIPPED:
                yield (
                    _folder(context, name),
                    f"{name} has {total:,} bytes unzipped with its {len(layers)} layers, Lambda takes "
                    f"{MAX_LAMBDA_UNZIPPED:,}",
                    self.remedy,
                )


def _layers(context: Context, name: str, stack: ExportedStack) -> list[str]:
    """The nested stacks whose layers a function takes, by what the root passes to it."""
    passed = (context.export.root.resources.get(name, {}).get("Properties") or {}).get("Parameters") or {}
    found: dict[str, None] = {}
    for item in stack.resources.values():
        layers = (item.get("Properties") or {}).get("Layers") if item["Type"] == "AWS::Lambda::Function" else None
        for layer in layers if isinstance(layers, list) else ():
            value = passed.get(layer.get("Ref")) if isinstance(layer, dict) else None
            attribute = value.get("Fn::GetAtt") if isinstance(value, dict) else None
            if isinstance(attribute, list) and attribute:
                found[str(attribute[0])] = None
    return list(found)


def _smallest(context: Context, files: Sequence[str]) -> int:
    """Of a layer's versions the smallest, unzipped: which one is taken, its output tells at deployment."""
    return min((unzipped(context.export.read(f)) for f in files if f in context.export.files), default=0)


def _custom_runtime(item: Mapping[str, Any]) -> bool:
    runtime = (item.get("Properties") or {}).get("Runtime")
    return isinstance(runtime, str) and runtime.startswith("provided")


class NoAppSyncFiles:
    """A GraphQL API without its schema and resolvers."""

    id = "AD405"
    severity = "refused"
    source = "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/"
    remedy = "run `amplify export` again, and commit all that it writes"
    on_aws = "`The specified key does not exist`"

    def find(self, context: Context) -> Found:
        for stack in context.export.root.nested.values():
            folder = context.assets.appsync_folder(stack)
            if folder and not context.assets.has_appsync_files(stack):
                yield folder, f"holds no files, {stack.file} needs them", REEXPORT
