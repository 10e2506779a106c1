"""What `amplify push` has at hand of a project that was exported: the same templates, with the CLI's own addresses.

An export is what the CLI would push, but for what it leaves out: the addresses of nested stacks, and where code and
resolvers lie (amplify-cli, `formNestedStack` of push-resources.ts; `uploadAppSyncFiles`).
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amplify_delivery.export import read_export
from amplify_delivery.export.model import STACK_TYPE, Export, ExportedStack
from amplify_delivery.export.read import MANIFEST
from amplify_delivery.export.tags import filled
from amplify_delivery.export.values.parameters import ROLE_NAMES
from amplify_delivery_rehearsal.amplify_push import TEMPLATES, CloudBackend, template_url

_EXPIRES = re.compile(rb'"Expires": ?\d+')
_ROOT_KEY, _CHILDREN = "S3DeploymentRootKey", "amplify-appsync-files"


def renamed(export: Path, target: Path, stack_name: str) -> Path:
    """A copy of an export, made of another environment of the app: the one whose root stack is `stack_name`."""
    shutil.copytree(export, target)
    manifest = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    environment = stack_name.split("-")[2]
    text = json.dumps(manifest, indent=2, ensure_ascii=False).replace(str(manifest["stackName"]), stack_name)
    manifest = json.loads(text)
    for node in _nodes(manifest["props"]):
        if "env" in (node.get("parameters") or {}):
            node["parameters"]["env"] = environment
    (target / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")
    return target


def _nodes(node: Mapping[str, Any]) -> Iterator[Any]:
    yield node
    for child in (node.get("loadNestedStacks") or {}).values():
        yield from _nodes(child)


def backend_of(folder: Path) -> CloudBackend:
    """The backend that was exported into `folder`, as the CLI pushes it to the environment it was exported from."""
    export = read_export(folder)
    bucket = f"{export.stack_name}-deployment"
    objects: dict[str, bytes] = {}
    resources = dict(export.root.resources)
    for name, stack in export.root.nested.items():
        category, file = stack.file.split("/")[0], stack.file.rpartition("/")[2]
        # The exporter leaves these out, and the CLI passes them (AD301).
        roles = {p: {"Ref": ref} for p, ref in ROLE_NAMES.items() if p in (stack.template.get("Parameters") or {})}
        given = {**roles, **_text(stack.parameters), **export.root.wired(name)}
        code = sorted(
            f for f in export.files if f.startswith(f"function/{name.removeprefix('function')}/amplify-builds/")
        )
        if category == "function" and code:
            key = f"amplify-builds/{code[0].rpartition('/')[2]}"
            objects[key] = export.read(code[0])
            given |= {"deploymentBucketName": bucket, "s3Key": key}
        if _ROOT_KEY in stack.parameters:
            objects |= _appsync(export, stack)
        objects[f"{TEMPLATES}/{category}/{file}"] = _template(export, stack)
        properties = {**(resources[name].get("Properties") or {}), "TemplateURL": template_url(bucket, category, file)}
        resources[name] = {**resources[name], "Properties": {**properties, "Parameters": given}}
    _, project, environment, *_ = export.stack_name.split("-")
    tags = {key: filled(value, project, environment) for key, value in export.tags}
    meta: dict[str, dict[str, Any]] = {}
    for item in export.resources:
        meta.setdefault(item.category, {})[item.name] = {"service": item.service, "providerPlugin": "awscloudformation"}
    return CloudBackend(export.stack_name, {**export.root.template, "Resources": resources}, objects, tags, meta)


def _appsync(export: Export, stack: ExportedStack) -> dict[str, bytes]:
    """Schema, resolvers and children's templates under the prefix that the API reads from."""
    folder = f"{stack.file.rpartition('/')[0]}/{_CHILDREN}/"
    prefix = str(stack.parameters[_ROOT_KEY])
    return {f"{prefix}/{f.removeprefix(folder)}": export.read(f) for f in export.files if f.startswith(folder)}


def _template(export: Export, stack: ExportedStack) -> bytes:
    """A template with the addresses of what is nested in it; an API key that was made long ago expires later."""
    body = dict(stack.template)
    resources = dict(stack.resources)
    for name, item in resources.items():
        if item["Type"] == STACK_TYPE:
            file = stack.nested[name].file.rpartition("/")[2]
            url = ["https://s3.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}, "/"]
            url += [{"Ref": "S3DeploymentBucket"}, "/", {"Ref": _ROOT_KEY}, f"/stacks/{file}"]
            properties = {**(item.get("Properties") or {}), "TemplateURL": {"Fn::Join": ["", url]}}
            resources[name] = {**item, "Properties": properties}
    data = json.dumps({**body, "Resources": resources}).encode() if resources else export.read(stack.file)
    later = (int(time.time()) // 3600 + 2400) * 3600
    return _EXPIRES.sub(b'"Expires": %d' % later, data)


def _text(parameters: Mapping[str, Any]) -> dict[str, str]:
    def text(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return ",".join(map(str, value)) if isinstance(value, list) else str(value)

    return {name: text(value) for name, value in parameters.items() if value is not None}
