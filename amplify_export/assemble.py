"""Export -> Assembly: checked, repaired, every object under a key made from its own content."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from amplify_export import assets as files
from amplify_export.archives import BadArchive
from amplify_export.assembly import Assembly, AssemblyObject, BucketFile, NestedStack, ObjectKind, Value, canonical
from amplify_export.checks import Context, run_checks
from amplify_export.checks.quotas import MAX_TEMPLATE, SPLIT
from amplify_export.checks.structure import TRIGGER_STACK, TRIGGER_TEMPLATE
from amplify_export.documents import Malformed, parse_json
from amplify_export.errors import ExportRefused
from amplify_export.findings import Finding
from amplify_export.model import ROOT_PARAMETERS, Export, ExportedStack
from amplify_export.names import StackName
from amplify_export.parameters import API_KEY_EXPIRES, text
from amplify_export.read import REEXPORT
from amplify_export.rewrite import (
    PLACEHOLDER,
    Locations,
    Resources,
    rewrite_auxiliary_code,
    rewrite_locations,
    settle_api_keys,
    settle_logical_ids,
    settle_policies,
)

STAGING_BUCKET = "StagingBucket"
"""The parameter added where a template needs the staging bucket's name and has none for it."""

_KINDS: Mapping[str, tuple[ObjectKind, str]] = {
    ".vtl": ("vtl", "text/plain"),
    ".graphql": ("schema", "text/plain"),
    ".zip": ("zip", "application/zip"),
    ".json": ("file", "application/json"),
}
_FOLDERS: Mapping[ObjectKind, str] = {
    "template": "templates", "vtl": "vtl", "schema": "schemas", "zip": "archives", "file": "files"
}


def check(export: Export, secrets: Collection[tuple[str, str]] = ()) -> tuple[Finding, ...]:
    """Every finding about an export, without raising. `secrets` as in `assemble`."""
    try:
        return assemble(export, secrets).findings
    except ExportRefused as error:
        return error.findings


def assemble(export: Export, secrets: Collection[tuple[str, str]] = ()) -> Assembly:
    """The assembly of an export. Pure: equal exports give equal assemblies, byte for byte.

    `secrets` names (nested stack, parameter) pairs whose value the environments supply as secrets.
    Raises `ExportRefused` with every finding when one of them is a refusal.
    """
    return _Assembler(_with_triggers(export), frozenset(secrets)).assembly()


def _with_triggers(export: Export) -> Export:
    """The export with the Cognito trigger stack taken up, if its template was put back (AD206)."""
    root = export.root
    if TRIGGER_STACK in root.nested or TRIGGER_TEMPLATE not in export.files or TRIGGER_STACK not in root.resources:
        return export
    try:
        template = parse_json(export.read(TRIGGER_TEMPLATE))
    except Malformed as error:
        raise ExportRefused([Finding("AD103", "refused", TRIGGER_TEMPLATE, str(error), REEXPORT)]) from None
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise ExportRefused([Finding("AD105", "refused", TRIGGER_TEMPLATE, "is no template", REEXPORT)])
    stack = ExportedStack(TRIGGER_STACK, TRIGGER_TEMPLATE, template, {}, {})
    return replace(export, root=replace(root, nested={**root.nested, TRIGGER_STACK: stack}))


@dataclass(frozen=True)
class _Parent:
    """What a template may use of its parents: the parameter that holds the staging bucket's name, and
    parameters that stand for folders of the export."""

    bucket: str | None
    prefixes: Mapping[str, str]


@dataclass(frozen=True)
class _Built:
    stack: NestedStack
    declared: Collection[str]
    needs: frozenset[str]


class _Assembler:
    """One assembling: collects objects and findings while it walks the tree."""

    def __init__(self, export: Export, secrets: frozenset[tuple[str, str]]) -> None:
        self.export = export
        self.context = Context(export, secrets)
        self.assets = self.context.assets
        self.objects: dict[str, AssemblyObject] = {}
        self.sources: dict[str, bytes | str] = {}
        """Where an object's bytes are: in memory (templates) or in a file of the export."""
        self.keys: dict[str, str | None] = {}
        self.findings: list[Finding] = []

    def assembly(self) -> Assembly:
        self.findings = list(run_checks(self.context))
        self._raise_refusals()
        name = StackName.parse(self.export.stack_name)
        assert name is not None, "AD201 refuses every other name"  # noqa: S101
        root, template = self._root()
        bucket_files = tuple(self._bucket_files())
        self._raise_refusals()
        sources, export = self.sources, self.export

        def read(key: str) -> bytes:
            source = sources[key]
            return source if isinstance(source, bytes) else export.read(source)

        return Assembly(
            stack_name=name,
            root_template=template,
            root=root,
            objects=tuple(self.objects[k] for k in sorted(self.objects)),
            tags=self.export.tags,
            bucket_files=bucket_files,
            findings=tuple(sorted(set(self.findings))),
            reader=read,
        )

    def _raise_refusals(self) -> None:
        if any(f.severity == "refused" for f in self.findings):
            raise ExportRefused(sorted(set(self.findings)))

    def _root(self) -> tuple[NestedStack, dict[str, Any]]:
        """The root's tree, and its template without what environments put in."""
        source = self.export.root
        template = dict(source.template)
        resources: Resources = dict(source.resources)
        parameters = {k: self._root_value(k, v) for k, v in source.parameters.items() if k in source.declared}
        nested: dict[str, NestedStack] = {}
        for name in sorted(source.nested):
            plan = self.context.plans[name]
            stack = source.nested[name]
            built = self._stack(stack, self._parent_of(stack))
            values = {k: self._resolved(v) for k, v in plan.values.items() if k in built.declared}
            wired = {k: v for k, v in plan.wired.items() if k in built.declared}
            if STAGING_BUCKET in built.needs:
                values[STAGING_BUCKET] = Value("staging-bucket")
            if API_KEY_EXPIRES in built.needs:
                wired[API_KEY_EXPIRES] = {"Ref": API_KEY_EXPIRES}
            item = resources[name]
            properties = {k: v for k, v in (item.get("Properties") or {}).items() if k != "TemplateURL"}
            resources[name] = _after_roles({**item, "Properties": {**properties, "Parameters": wired}}, resources)
            nested[name] = replace(built.stack, parameters=dict(sorted(values.items())))
        self._settled(resources, source.file)
        template["Resources"] = resources
        template["Parameters"] = {
            **source.declared,
            # Declared in every root: the engine remembers its value from the first create on, and a later
            # `amplify add api` must find it there.
            API_KEY_EXPIRES: {"Type": "Number", "Description": "When AppSync API keys expire, in seconds since 1970"},
        }
        return NestedStack("", "", parameters, nested), template

    def _parent_of(self, stack: ExportedStack) -> _Parent:
        folder = self.assets.appsync_folder(stack)
        prefixes = {files.APPSYNC_ROOT_KEY: folder} if folder else {}
        named = self.assets.layer_files(stack)
        if named:
            prefixes[files.KEY_PARAMETER] = named[0].rpartition("/")[0] + "/"
        bucket = next((p for p in (files.APPSYNC_BUCKET, files.BUCKET_PARAMETER) if self._holds_bucket(stack, p)), None)
        return _Parent(bucket, prefixes)

    def _holds_bucket(self, stack: ExportedStack, parameter: str) -> bool:
        value = self.context.plans[stack.logical_id].values.get(parameter)
        return value is not None and value.source == "staging-bucket"

    def _root_value(self, name: str, value: Any) -> Value:
        literal = text(value)
        if name in ROOT_PARAMETERS and literal.startswith(self.export.stack_name):
            return Value("stack-name", literal.removeprefix(self.export.stack_name))
        return Value("literal", literal)

    def _resolved(self, value: Value) -> Value:
        if value.source != "object":
            return value
        return Value("object", self._publish(value.text) or "")

    def _stack(self, source: ExportedStack, parent: _Parent) -> _Built:
        """Build a template and all below it; children first, because their keys stand in it."""
        resources: Resources = dict(source.resources) or dict(PLACEHOLDER)
        declared = dict(source.declared)
        needs: set[str] = set()
        nested: dict[str, NestedStack] = {}
        for name in sorted(source.nested):
            nested[name] = self._child(source, name, parent, resources, needs)
        rewrite_locations(resources, Locations(parent.prefixes, lambda file: self._named(file, source.file)))
        if self.assets.auxiliary and source.logical_id in self.assets.resources:
            rewrite_auxiliary_code(resources, self.assets.auxiliary, self._publish)
        if settle_api_keys(resources):
            needs.add(API_KEY_EXPIRES)
            self._repaired("AD603", source.file, "the API key's expiry is a parameter of the environment")
        self._settled(resources, source.file)
        for parameter in parent.prefixes:
            declared.pop(parameter, None)
        for need in needs:
            kind = "Number" if need == API_KEY_EXPIRES else "String"
            declared.setdefault(need, {"Type": kind})
        template = {**source.template, "Resources": resources}
        if declared:
            template["Parameters"] = declared
        else:
            template.pop("Parameters", None)
        settled = settle_logical_ids(template)
        if settled is not template:
            self._repaired("AD602", source.file, "random suffixes of API Gateway ids made a function of the API")
        body = canonical(settled)
        self._check_template(body, source, parent)
        key = self._store("template", body, hashlib.sha256(body).hexdigest(), ".json", "application/json")
        return _Built(NestedStack(source.logical_id, key, {}, nested), declared, frozenset(needs))

    def _child(
        self, source: ExportedStack, name: str, parent: _Parent, resources: Resources, needs: set[str]
    ) -> NestedStack:
        item = resources[name]
        wired = dict(source.wired(name))
        wired.update({k: text(v) for k, v in source.nested[name].parameters.items() if v is not None})
        references = {v["Ref"]: k for k, v in wired.items() if isinstance(v, dict) and v.keys() == {"Ref"}}
        bucket = references.get(parent.bucket) if parent.bucket else None
        prefixes = {references[p]: folder for p, folder in parent.prefixes.items() if p in references}
        built = self._stack(source.nested[name], _Parent(bucket, prefixes))
        undeclared = sorted(k for k in wired if k not in built.declared and k not in prefixes)
        if undeclared:
            file = source.nested[name].file
            message = f"does not declare {', '.join(undeclared)}, which {source.file} passes; not passed"
            self.findings.append(Finding("AD302", "warning", file, message, "nothing, if the template is right"))
        wired = {k: v for k, v in wired.items() if k in built.declared}
        wired.update({need: {"Ref": need} for need in built.needs})
        needs |= built.needs
        if parent.bucket is None:
            needs.add(STAGING_BUCKET)
        url = [
            "https://s3.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}, "/",
            {"Ref": parent.bucket or STAGING_BUCKET}, f"/{built.stack.template}",
        ]  # fmt: skip
        properties = {**(item.get("Properties") or {}), "TemplateURL": {"Fn::Join": ["", url]}}
        properties.pop("Parameters", None)
        if wired:
            properties["Parameters"] = wired
        resources[name] = {**item, "Properties": properties}
        return built.stack

    def _check_template(self, body: bytes, source: ExportedStack, parent: _Parent) -> None:
        for parameter in parent.prefixes:
            quoted = parameter.encode()
            if b'"Ref":"' + quoted + b'"' in body or b"${" + quoted in body:
                self._refuse(
                    "AD407",
                    source.file,
                    f"uses {parameter} otherwise than as BUCKET/${{{parameter}}}/PATH with a literal path",
                    "write the location as one literal path per file",
                )
        if len(body) > MAX_TEMPLATE:
            self._refuse("AD504", source.file, f"has {len(body):,} bytes, CloudFormation takes {MAX_TEMPLATE:,}", SPLIT)

    def _settled(self, resources: Resources, file: str) -> None:
        count = settle_policies(resources)
        if count:
            self._repaired("AD601", file, f"{count} x DeletionPolicy Retain made RetainExceptOnCreate")

    def _repaired(self, id: str, file: str, message: str) -> None:
        self.findings.append(Finding(id, "repaired", file, message))

    def _refuse(self, id: str, file: str, message: str, remedy: str) -> None:
        self.findings.append(Finding(id, "refused", file, message, remedy))

    def _named(self, file: str, template: str) -> str | None:
        """The key of a file that a template names; None, with a finding, when it is not there."""
        if file not in self.export.files:
            self._refuse("AD406", file, f"is not in the export, but {template} names it", REEXPORT)
            return None
        return self._publish(file)

    def _publish(self, file: str) -> str | None:
        """The key of a file of the export; the file becomes an object."""
        if file in self.keys:
            return self.keys[file]
        extension = file[file.rfind(".") :] if "." in file.rpartition("/")[2] else ""
        kind, content_type = _KINDS.get(extension, ("file", "application/octet-stream"))
        data = self.export.read(file)
        try:
            digest = self._archive_digest(file, data) if kind == "zip" else None
        except BadArchive as error:
            self._refuse("AD403", file, str(error), REEXPORT)
            self.keys[file] = None
            return None
        key = self._store(kind, data, digest, extension, content_type, file)
        self.keys[file] = key
        return key

    def _archive_digest(self, file: str, data: bytes) -> str:
        from amplify_export.archives import entries_digest  # noqa: PLC0415

        return self.context.known_digests.get(file) or entries_digest(data)

    def _store(
        self, kind: ObjectKind, data: bytes, digest: str | None, extension: str, content_type: str, file: str | None = None
    ) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        key = f"{_FOLDERS[kind]}/{digest or sha256}{extension}"
        if key not in self.objects:
            self.objects[key] = AssemblyObject(key, kind, len(data), sha256, content_type)
            self.sources[key] = file if file is not None else data
        return key

    def _bucket_files(self) -> list[BucketFile]:
        found = []
        for name in sorted(self.export.root.nested):
            stack = self.export.root.nested[name]
            bucket = text(stack.parameters.get(files.VERIFICATION_BUCKET, ""))
            folder_parts = 3  # auth/NAME/amplify-auth-assets
            for file in self.assets.verification_files(stack):
                path = file.split("/", folder_parts)[folder_parts]
                key = self._publish(file)
                content_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
                if key:
                    found.append(BucketFile(name, bucket, path, key, content_type))
        return found


def _after_roles(item: Mapping[str, Any], resources: Mapping[str, Any]) -> Mapping[str, Any]:
    """The nested stack, made to wait for the auth roles that it takes by name.

    The exporter passes `Ref AuthRoleName`, the root's parameter, which orders nothing; `amplify init` had
    made the roles long before, one create of everything must say it.
    """
    roles = {"AuthRoleName": "AuthRole", "UnauthRoleName": "UnauthRole"}
    parameters = item["Properties"]["Parameters"].values()
    wanted = {roles[v["Ref"]] for v in parameters if isinstance(v, dict) and v.get("Ref") in ROOT_PARAMETERS[:2]}
    depends = item.get("DependsOn", [])
    depends = [depends] if isinstance(depends, str) else list(depends)
    missing = sorted(r for r in wanted if r in resources and r not in depends)
    return {**item, "DependsOn": [*depends, *missing]} if missing else item
