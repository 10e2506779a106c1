"""Export -> Assembly: checked, repaired, every object under a key made from its own content."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amplify_delivery.errors import ExportRefused
from amplify_delivery.export import assets as files
from amplify_delivery.export.archives import ArchiveError
from amplify_delivery.export.assembling import auth_roles
from amplify_delivery.export.assembling.images import NO_IMAGES, image_parameters
from amplify_delivery.export.assembling.resolvers import (
    IDENTITY_POOL_OUTPUT,
    IDENTITY_POOL_PARAMETER,
    SIGNS,
    Freed,
    auth_stack,
    free,
    identity_pools,
    waits_for,
    written_texts,
)
from amplify_delivery.export.assembling.rewrite import (
    PLACEHOLDER,
    Locations,
    Resources,
    rewrite_auxiliary_code,
    rewrite_locations,
    settle_api_keys,
    settle_logical_ids,
    settle_policies,
)
from amplify_delivery.export.assembling.social import without_secrets
from amplify_delivery.export.assembling.store import ObjectStore
from amplify_delivery.export.assembling.triggers import USER_POOL_STATE, follow_pool, pool_stack
from amplify_delivery.export.assembly import Assembly, BucketFile, NestedStack, Value, canonical
from amplify_delivery.export.checks import Context, run_checks
from amplify_delivery.export.images.container_api import without_pipelines
from amplify_delivery.export.images.model import Images
from amplify_delivery.export.model import ROOT_PARAMETERS, Export, ExportedStack
from amplify_delivery.export.names import StackName
from amplify_delivery.export.quotas import MAX_PARAMETERS, MAX_TEMPLATE, SPLIT
from amplify_delivery.export.read import REEXPORT
from amplify_delivery.export.templates.boundary import (
    CONDITION,
    DECLARATION,
    HAS_BOUNDARY,
    PERMISSIONS_BOUNDARY,
    bound,
)
from amplify_delivery.export.templates.exported import take_stack_name
from amplify_delivery.export.templates.literals import text
from amplify_delivery.export.templates.nesting import STAGING_BUCKET, Inherited, after_roles, literals
from amplify_delivery.export.values.bindings import Bindings
from amplify_delivery.export.values.parameters import API_KEY_EXPIRES
from amplify_delivery.findings import Finding, listed

_ROOT_STACK_NAME = "RootStackName"
"""The parameter by which a nested stack gets the name of its root."""

_ADDED: Mapping[str, Mapping[str, str]] = {
    STAGING_BUCKET: {"Type": "String"},
    API_KEY_EXPIRES: {"Type": "Number"},
    PERMISSIONS_BOUNDARY: DECLARATION,
    IDENTITY_POOL_PARAMETER: {"Type": "String"},
    _ROOT_STACK_NAME: {"Type": "String"},
    USER_POOL_STATE: {"Type": "String"},
    "env": {"Type": "String"},
}
"""Parameters that templates gain, with their declarations, when they or a template below need them."""

_HANDED_DOWN = frozenset({API_KEY_EXPIRES, PERMISSIONS_BOUNDARY})
"""Those that are parameters of the root too: it hands its own value down."""

_RENAME = "rename it: {} is added here"


def check(export: Export, secrets: Collection[tuple[str, str]] = (), images: Images = NO_IMAGES) -> tuple[Finding, ...]:
    """Every finding about an export, without raising. `secrets` and `images` as in `assemble`."""
    try:
        return assemble(export, secrets, images).findings
    except ExportRefused as error:
        return error.findings


def assemble(export: Export, secrets: Collection[tuple[str, str]] = (), images: Images = NO_IMAGES) -> Assembly:
    """The assembly of an export. Pure: equal exports give equal assemblies, byte for byte.

    `secrets` names (nested stack, parameter) pairs whose value the environments supply as secrets; `images` are the
    container images that go with it. Raises `ExportRefused` with every finding when one of them is a refusal,
    `ConfigError` for an image that the export has no place for.
    """
    return _Assembler(*without_pipelines(export, images), frozenset(secrets)).assembly()


@dataclass(frozen=True)
class _Built:
    """A built template: its part of the tree, the parameters it declares, and those it `needs` from above
    beyond what the export passes."""

    stack: NestedStack
    declared: Collection[str]
    needs: frozenset[str]


class _Assembler:
    """One assembling: collects objects and findings while it walks the tree."""

    def __init__(self, export: Export, images: Images, secrets: frozenset[tuple[str, str]]) -> None:
        self.export, self.images = export, images
        self.context = Context(export, secrets, image_parameters(images, export.root))
        self.assets = self.context.assets
        self.store = ObjectStore(export, self.context.archive_digest)
        self.findings: list[Finding] = []
        self.exported = self.context.exported
        self.bindings = Bindings(self.exported)
        self.auth = auth_stack(export.root)
        stacks = [s for _, s in export.root.walk() if b"dentityPoolId" in export.read(s.file)]
        self.pools = identity_pools(text for s in stacks for text in written_texts(s))

    def assembly(self) -> Assembly:
        self.findings = list(run_checks(self.context))
        self._raise_refusals()
        name = StackName.parse(self.export.stack_name)
        assert name is not None, "AD201 refuses every other name"  # noqa: S101
        root, template = self._root()
        bucket_files = tuple(self._bucket_files())
        self.bindings.look_at_values(self.export, self.context.plans)
        self.bindings.add(without_secrets(self.export.root))
        for file, found in self.context.code_literals.items():
            self.bindings.note_code(file, found)
        self._raise_refusals()
        if self.store.windows_texts:
            several = f"{len(self.store.windows_texts)} x" if len(self.store.windows_texts) > 1 else "the"
            message = f"{several} line ends of Windows (CRLF) made LF, and byte order marks taken out"
            self._repaired("AD630", min(self.store.windows_texts), message)
        return Assembly(
            stack_name=name,
            root_template=template,
            root=root,
            objects=self.store.objects(),
            tags=self.export.tags,
            bucket_files=bucket_files,
            findings=tuple(sorted({*self.findings, *self.bindings.findings(self.context.secrets)})),
            bound=self.bindings.bound(),
            reader=self.store.read,
            resources=self.export.resources,
            images=tuple(sorted((g.image for g in self.images.given), key=lambda image: image.name)),
            layout=self.images.layout,
        )

    def _raise_refusals(self) -> None:
        if any(f.severity == "refused" for f in self.findings):
            raise ExportRefused(sorted(set(self.findings)))

    def _root(self) -> tuple[NestedStack, dict[str, Any]]:
        """The root's tree, and its template without what environments put in."""
        source = self.export.root
        template = dict(source.template)
        resources: Resources = dict(source.resources)
        parameters = {
            k: self._root_value(k, v) for k, v in source.parameters.items() if k in source.declared and v is not None
        }
        nested: dict[str, NestedStack] = {}
        needs = {API_KEY_EXPIRES}
        for name in sorted(source.nested):
            plan = self.context.plans[name]
            stack = source.nested[name]
            built = self._stack(stack, self._parent_of(stack))
            values = {k: self._resolved(v) for k, v in plan.values.items() if k in built.declared}
            wired = {k: v for k, v in plan.wired.items() if k in built.declared}
            values.update({k: v for k, v in self._gained(name).items() if k in built.needs})
            wired.update({k: v for k, v in self._handed_down().items() if k in built.needs})
            needs |= built.needs & _HANDED_DOWN
            item = resources[name]
            properties = {k: v for k, v in (item.get("Properties") or {}).items() if k != "TemplateURL"}
            resources[name] = after_roles({**item, "Properties": {**properties, "Parameters": wired}}, resources)
            nested[name] = replace(built.stack, parameters=dict(sorted(values.items())))
        self._name_stack(resources, source.file, "AWS::StackName")
        self._settle(resources, source.file)
        conditions = self._bound(resources, source, needs)
        trusts = auth_roles.trusting(resources)
        if trusts:
            conditions = {**conditions, auth_roles.KNOWN: auth_roles.CONDITION}
        self._check_free(needs | ({auth_roles.IDENTITY_POOL} if trusts else set()), source)
        template["Resources"] = resources
        if conditions:
            template["Conditions"] = conditions
        template["Parameters"] = {
            **source.declared,
            # Declared in every root: the engine remembers its value from the first create on, and a later
            # `amplify add api` must find it there.
            API_KEY_EXPIRES: {"Type": "Number", "Description": "When AppSync API keys expire, in seconds since 1970"},
        }
        if trusts:
            template["Parameters"][auth_roles.IDENTITY_POOL] = auth_roles.DECLARATION
        if PERMISSIONS_BOUNDARY in needs:
            about = {"Description": "ARN of the permissions boundary of all roles made here; empty: none"}
            template["Parameters"][PERMISSIONS_BOUNDARY] = {**DECLARATION, **about}
        self._check_count(template["Parameters"], source.file)
        self.bindings.look_at(template, canonical(template), source.file)
        return NestedStack("", "", parameters, nested), template

    def _gained(self, name: str) -> dict[str, Value]:
        """What every environment gives to parameters that the nested stack `name` may gain."""
        pool = pool_stack(self.export.root, name)
        return {
            STAGING_BUCKET: Value("staging-bucket"),
            "env": Value("environment"),
            USER_POOL_STATE: Value("user-pool", pool or ""),
        }

    def _handed_down(self) -> dict[str, Any]:
        """What the root itself gives to parameters that a nested stack may gain."""
        return {
            **{need: {"Ref": need} for need in sorted(_HANDED_DOWN)},
            _ROOT_STACK_NAME: {"Ref": "AWS::StackName"},
            IDENTITY_POOL_PARAMETER: {"Fn::GetAtt": [self.auth, f"Outputs.{IDENTITY_POOL_OUTPUT}"]},
        }

    def _parent_of(self, stack: ExportedStack) -> Inherited:
        """What the root gives to a level-1 stack."""
        folder = self.assets.appsync_folder(stack)
        prefixes = {files.APPSYNC_ROOT_KEY: folder} if folder else {}
        named = self.assets.layer_files(stack)
        if named:
            prefixes[files.KEY_PARAMETER] = named[0].rpartition("/")[0] + "/"
        values = self.context.plans[stack.logical_id].values
        bucket = next((p for p in (files.APPSYNC_BUCKET, files.BUCKET_PARAMETER) if _is_bucket(values.get(p))), None)
        environment = "env" if values.get("env") == Value("environment") else None
        pools, user_pool = self._pools(stack.logical_id), pool_stack(self.export.root, stack.logical_id)
        return Inherited(bucket, prefixes, environment, pools, user_pool)

    def _pools(self, name: str) -> frozenset[str] | None:
        """The ids of identity pools that resolvers of the level-1 stack `name` may get from the auth stack instead."""
        # What the auth stack waits for cannot wait for it: some triggers call the API.
        usable = self.auth and len(self.pools) < 2 and not waits_for(self.export.root, self.auth, name)
        return self.pools if usable else None

    def _root_value(self, name: str, value: Any) -> Value:
        literal = text(value)
        if name in ROOT_PARAMETERS and literal.startswith(self.export.stack_name):
            return Value("stack-name", literal.removeprefix(self.export.stack_name))
        return Value("literal", literal)

    def _resolved(self, value: Value) -> Value:
        return Value("object", self._publish(value.text) or "") if value.source == "object" else value

    def _stack(self, source: ExportedStack, parent: Inherited) -> _Built:
        """Build a template and all below it; children first, because their keys stand in it."""
        resources: Resources = dict(source.resources) or dict(PLACEHOLDER)
        needs: set[str] = set()
        nested: dict[str, NestedStack] = {}
        for name in sorted(source.nested):
            nested[name] = self._child(source, name, parent, resources, needs)
        needs |= self._free(resources, source, parent)
        if parent.user_pool and (setters := follow_pool(resources)):
            needs.add(USER_POOL_STATE)
            self._repaired("AD606", source.file, f"set again whenever the user pool is updated: {_counted(setters)}")
        if self._name_stack(resources, source.file, _ROOT_STACK_NAME):
            needs.add(_ROOT_STACK_NAME)
        rewrite_locations(resources, Locations(parent.prefixes, lambda file: self._named(file, source.file)))
        if self.assets.auxiliary and parent.bucket:
            rewrite_auxiliary_code(resources, self.assets.auxiliary, parent.bucket, self._publish)
        if settle_api_keys(resources):
            needs.add(API_KEY_EXPIRES)
            self._repaired("AD603", source.file, "the API key's expiry is a parameter of the environment")
        self._settle(resources, source.file)
        conditions = self._bound(resources, source, needs)
        self._check_free(needs, source)
        declared = {k: v for k, v in source.declared.items() if k not in parent.prefixes}
        declared.update({need: _ADDED[need] for need in needs})
        template = {k: v for k, v in source.template.items() if k != "Parameters"}
        template["Resources"] = resources
        if declared:
            template["Parameters"] = declared
        if conditions:
            template["Conditions"] = conditions
        settled = settle_logical_ids(template)
        if settled is not template:
            self._repaired("AD602", source.file, "random suffixes of API Gateway ids made a function of the API")
        body = canonical(settled)
        self.bindings.look_at(settled, body, source.file)
        self._check_built(body, declared, source, parent)
        return _Built(NestedStack(source.logical_id, self.store.template(body), {}, nested), declared, frozenset(needs))

    def _child(
        self, source: ExportedStack, name: str, parent: Inherited, resources: Resources, needs: set[str]
    ) -> NestedStack:
        """Build the nested stack `name` of `source`, and put what calls it into `resources`."""
        child, item = source.nested[name], resources[name]
        wired = {**source.wired(name), **literals(child)}
        built = self._stack(child, parent.passed_to(child, wired))
        undeclared = [k for k in wired if k not in child.declared]
        if undeclared:
            message = f"does not declare {listed(undeclared)}, which {source.file} passes; not passed"
            self.findings.append(Finding("AD302", "warning", child.file, message, "nothing, if the template is right"))
        wired = {k: v for k, v in wired.items() if k in built.declared}
        wired.update({need: {"Ref": need} for need in built.needs})
        if "env" in built.needs and parent.environment:
            wired["env"] = {"Ref": parent.environment}
        needs |= built.needs - {"env"}
        if wired.get("env") == {"Ref": "env"} and "env" not in source.declared:
            needs.add("env")
        if parent.bucket is None:
            needs.add(STAGING_BUCKET)
        properties = {k: v for k, v in (item.get("Properties") or {}).items() if k != "Parameters"}
        properties["TemplateURL"] = parent.template_url(built.stack.template)
        if wired:
            properties["Parameters"] = wired
        resources[name] = {**item, "Properties": properties}
        return built.stack

    def _free(self, resources: Resources, source: ExportedStack, parent: Inherited) -> frozenset[str]:
        """Free a template's resolvers of the exported environment, in place; the parameters that it gains by that."""
        environment = parent.environment
        if environment is None and "env" not in source.declared and "env" not in source.resources:
            environment = "env"
        locations = Locations(parent.prefixes, lambda _: None)

        def file_text(location: Any) -> str | None:
            file = locations.file(location)
            return self.store.text(file) if file and file in self.export.files else None

        if not locations.prefixes and not any(sign in self.export.read(source.file) for sign in SIGNS):
            return frozenset()
        names, used = free(resources, Freed(self.exported, environment, parent.identity_pools), file_text)
        if names:
            told = f"made free of the environment {self.exported.environment}: {_counted(names)}"
            self._repaired("AD604", source.file, told)
        return used - ({environment} & source.declared.keys())

    def _name_stack(self, resources: Resources, file: str, name: str) -> bool:
        """Replace the exported stack's name by a reference to `name`, in place; whether it stood anywhere."""
        changed: list[str] = []
        if self.export.stack_name.encode() not in self.export.read(file):
            return False
        for logical_id, item in resources.items():
            new = take_stack_name(item.get("Properties") or {}, self.exported, name)
            if new is not item.get("Properties") and new:
                resources[logical_id] = {**item, "Properties": new}
                changed.append(logical_id)
        if changed:
            self._repaired("AD605", file, f"made from the stack's name: {_counted(changed)}")
        return bool(changed)

    def _check_built(self, body: bytes, declared: Collection[str], source: ExportedStack, parent: Inherited) -> None:
        """Refuse what only shows in the built template."""
        for parameter in parent.prefixes:
            name = re.escape(parameter)
            if re.search(rf'"Ref":"{name}"|\$\{{{name}[}}.]'.encode(), body):
                self._refuse(
                    "AD407",
                    source.file,
                    f"uses {parameter} otherwise than as BUCKET/${{{parameter}}}/PATH with a literal path",
                    "write the location as one literal path per file",
                )
        self._check_count(declared, source.file)
        if len(body) > MAX_TEMPLATE:
            self._refuse("AD504", source.file, f"has {len(body):,} bytes, CloudFormation takes {MAX_TEMPLATE:,}", SPLIT)

    def _check_count(self, declared: Collection[str], file: str) -> None:
        if len(declared) > MAX_PARAMETERS:
            self._refuse("AD502", file, f"has {len(declared)} parameters, the quota is {MAX_PARAMETERS}", SPLIT)

    def _bound(self, resources: Resources, source: ExportedStack, needs: set[str]) -> Mapping[str, Any]:
        """Put the environment's permissions boundary on the template's roles; the template's conditions."""
        conditions: Mapping[str, Any] = source.template.get("Conditions") or {}
        if not bound(resources):
            return conditions
        needs.add(PERMISSIONS_BOUNDARY)
        if HAS_BOUNDARY in conditions:
            self._refuse("AD408", source.file, f"has a {HAS_BOUNDARY} of its own", _RENAME.format(HAS_BOUNDARY))
        return {**conditions, HAS_BOUNDARY: CONDITION}

    def _check_free(self, needs: Collection[str], source: ExportedStack) -> None:
        """Refuse a template that uses the name of a parameter which it has to gain."""
        for need in sorted(needs):
            if need in source.declared or need in source.resources:
                self._refuse("AD408", source.file, f"has a {need} of its own", _RENAME.format(need))

    def _settle(self, resources: Resources, file: str) -> None:
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
        if file.endswith((".vtl", ".js")) and (content := self.store.text(file)):
            self.bindings.look_at_text(content, file)
        return self._publish(file)

    def _publish(self, file: str) -> str | None:
        """The key of a file of the export, which becomes an object; None, with a finding, if it must not."""
        try:
            return self.store.file(file)
        except ArchiveError as error:
            self._refuse("AD403", file, str(error), REEXPORT)
            return None

    def _bucket_files(self) -> list[BucketFile]:
        found = []
        for name in sorted(self.export.root.nested):
            stack = self.export.root.nested[name]
            bucket = text(stack.parameters.get(files.VERIFICATION_BUCKET, ""))
            for file in self.assets.verification_files(stack):
                path = file.split("/", 3)[3]  # auth/NAME/amplify-auth-assets/PATH
                key = self._publish(file)
                content_type = files.content_type(path)
                if key:
                    found.append(BucketFile(name, bucket, path, key, content_type))
        return found


def _counted(names: Sequence[str]) -> str:
    """The first of many, and how many more."""
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _is_bucket(value: Value | None) -> bool:
    return value is not None and value.source == "staging-bucket"
