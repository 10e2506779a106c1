"""An export as CloudFormation would deploy it, and as its assembly, in one form that can be compared."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from amplify_delivery.export import Assembly, EnvironmentValues, RootStack, render_root
from unit.export.assembling.reference_resolver import Deployed, deploy
from unit.export.conftest import kept_assembly
from unit.export.mutations import EXPORTS

BUCKET = "staging-111122223333-eu-west-1-an"
EXPIRES = 2_000_000_000
CREDENTIALS = frozenset({("authkitchenappauth", "hostedUIProviderCreds")})
DELIVERABLE = [name for name in EXPORTS if name != "triggers"]


def as_exported(folder: Path) -> tuple[Deployed, str]:
    """The export as `amplify push` deploys it, and its stack's name: files under a prefix of one bucket.

    What the exporter forgets is supplied here, as the CLI does: role names, zips, the container's key.
    """
    manifest = json.loads((folder / "amplify-export-manifest.json").read_bytes())
    zips = {f"{z.parts[-4]}{z.parts[-3]}": z.name for z in folder.rglob("amplify-builds/*.zip")}
    nodes: dict[str, Any] = {}

    def supplied(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {"deploymentBucketName": BUCKET, "S3DeploymentBucket": BUCKET}
        values |= {"authRoleName": {"Ref": "AuthRoleName"}, "unauthRoleName": {"Ref": "UnauthRoleName"}}
        values |= {p: "SECRET" for p, d in declared.items() if d.get("NoEcho")}
        if name in zips:
            layer = "LambdaLayerVersion" in zips[name]
            values["s3Key"] = "amplify-builds" if layer else f"amplify-builds/{zips[name]}"
            values["ParamZipPath"] = f"amplify-builds/{zips[name]}"
        return values

    def called(node: Mapping[str, Any], path: str) -> Any:
        """A node's template, its nested stacks called with the manifest's literals."""
        body = json.loads((folder / node["templateFile"]).read_bytes())
        for name, child in node.get("loadNestedStacks", {}).items():
            nodes[f"{path}/{name}"] = child
            properties = body["Resources"][name].setdefault("Properties", {})
            declared = json.loads((folder / child["templateFile"]).read_bytes()).get("Parameters", {})
            own = supplied(name, declared) if not path else {}
            parameters = {**properties.get("Parameters", {}), **child.get("parameters", {}), **own}
            properties["Parameters"] = {k: _text(v) for k, v in parameters.items() if k in declared}
            properties["TemplateURL"] = f"{path}/{name}"
        return body

    root = called(manifest["props"], "")
    into = Deployed(stack_name=manifest["stackName"])
    fetch = lambda url: called(nodes[url], url)  # noqa: E731
    return deploy(root, manifest["props"]["parameters"], fetch, into=into), manifest["stackName"]


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, dict) else str(value)


def as_assembled(assembly: Assembly, root: RootStack) -> Deployed:
    """The assembly as CloudFormation deploys it from the staging bucket."""
    prefix = f"https://s3.eu-west-1.<AWS::URLSuffix>/{BUCKET}/"

    def fetch(url: str) -> Any:
        assert url.startswith(prefix), url
        return json.loads(assembly.read(url.removeprefix(prefix)))

    versions = {secret.version_parameter: "v1" for secret in root.secrets}
    into = Deployed(stack_name=root.stack_name)
    return deploy(json.loads(root.body), {**root.parameters, **versions}, fetch, into=into)


NOISE = re.compile(r"(DeploymentAPIGW.+?|Default[45]XXResponse)[0-9a-f]{8}")
"""Random suffixes of API Gateway's logical ids."""
EXPORTED = re.compile(
    r"amplify-builds/[\w.-]+\.zip|custom-resource-[\w-]+\.zip|amplify-appsync-files/[0-9a-f]{40}/[\w./-]+"
)
PUBLISHED = re.compile(r"(?:archives|vtl|schemas|files)/[0-9a-f]{64}\.\w+")
SECRET = re.compile(r"\{\{resolve:secretsmanager:[^}]*\}\}")


def normal(deployed: Deployed, content: Callable[[str], str], location: re.Pattern[str]) -> dict[str, Any]:
    """Resources in the one form of both sides: locations are what lies there, stated repairs are undone."""
    resources = {}
    for path, (kind, properties) in deployed.resources.items():
        text = location.sub(lambda found: content(found[0]), json.dumps(properties))
        value = json.loads(SECRET.sub("SECRET", NOISE.sub(r"\1*", text)))
        if kind == "AWS::AppSync::ApiKey":
            assert value.pop("Expires")
        if not path.endswith("/Placeholder"):
            resources[NOISE.sub(r"\1*", path)] = (kind, value)
    return resources


def exported_content(folder: Path) -> Callable[[str], str]:
    """What lies at an exported location, as a digest."""
    files = {}
    for file in folder.rglob("*"):
        path = file.relative_to(folder).as_posix()
        marker = re.search(r"amplify-builds/|amplify-appsync-files/|(?<=amplify-auxiliary-files/)", path)
        if marker and file.is_file():
            files[path[marker.start() :]] = file
    root_key = re.compile(r"(?<=amplify-appsync-files/)[0-9a-f]{40}/")
    return lambda key: hashlib.sha256(files[root_key.sub("", key)].read_bytes()).hexdigest()


def published_by_both(
    folder: Path, secrets: frozenset[tuple[str, str]] = frozenset(), literals: Mapping[str, str] | None = None
) -> tuple[Assembly, set[str]]:
    """Compare both sides; the assembly, and the keys that its templates name. `literals` maps what the export has
    written down of its environment to what the resolver has for it."""
    exported, name = as_exported(folder)
    assembly = kept_assembly(folder, secrets)
    environment, suffix = name.split("-")[2:]
    root = render_root(assembly, EnvironmentValues(environment, EXPIRES, suffix, secrets=secrets), BUCKET)
    assembled = as_assembled(assembly, root)
    keys: set[str] = set()

    def content(key: str) -> str:
        keys.add(key)
        return hashlib.sha256(assembly.read(key)).hexdigest()

    expected = normal(exported, exported_content(folder), EXPORTED)
    for literal, meaning in (literals or {}).items():
        expected = {k: (t, json.loads(json.dumps(v).replace(literal, meaning))) for k, (t, v) in expected.items()}
    found = normal(assembled, content, PUBLISHED)
    assert set(found) == set(expected), sorted({*found} ^ {*expected})
    different = {path: (expected[path], found[path]) for path in expected if expected[path] != found[path]}
    assert not different, json.dumps(different, indent=1)[:4000]
    assert set(assembled.urls) == set(exported.urls), sorted({*assembled.urls} ^ {*exported.urls})
    return assembly, keys
