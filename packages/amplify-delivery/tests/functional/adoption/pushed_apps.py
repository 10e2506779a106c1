"""Real apps as `amplify push` has left them: brought into an account of the local AWS from their archives, with data.

`AMPLIFY_DELIVERY_APPS` names the folder of archives. The templates are those that run, `pushed/`; what lies beside them
in the deployment bucket (resolvers, the schema, code) is the export's of the same state. The suffix of the stack's name
is made again, since the deployment bucket's name is global; nothing else is changed.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import tarfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery_rehearsal.amplify_push import TEMPLATES, Clients, CloudBackend, init, push
from amplify_delivery_rehearsal.pushed_export import backend_of, renamed
from unit.places import EXPORTS

APPS = "AMPLIFY_DELIVERY_APPS"
"""Environment variable: a folder with one archive per app, too big for this repository."""
NAMES = ("discussions", "fitness-tracker", "media-vault", "product-catalog")
DELIVERABLE = {
    "discussions": "as-pushed",
    "fitness-tracker": "as-pushed-AD206-remedied",
    "media-vault": "as-pushed",
    "product-catalog": "as-pushed",
}
"""The kind of export that can be delivered of what was pushed."""
FURTHER = ("full",)
"""Exports of this repository, pushed as the CLI would."""
STACK = "AWS::CloudFormation::Stack"
SOCIAL = "hostedUIProviderCreds"
"""The parameter of social sign-in, which stands in the running root template in plain text."""
SECRETS = {"client_id": "an-id", "client_secret": "a-secret-of-a-provider"}
_TEXT = (".json", ".vtl", ".graphql")
_EXPIRES = re.compile(r'"Expires": \d+')


@cache
def key_expires() -> int:
    """When the API keys that are brought expire, in seconds since 1970: in about 100 days, at a full hour, and the same
    one throughout a run that goes on over the hour."""
    return (int(time.time()) // 3600 + 2400) * 3600


@dataclass(frozen=True)
class PushedApp:
    """An app's files, unpacked; `stack_name` is that of the running root stack, also in the exports."""

    folder: Path
    stack_name: str

    @classmethod
    def unpack(cls, name: str, folder: Path) -> PushedApp:
        """Unpack an app with a suffix of its own; skips the test where there is no archive."""
        archive = Path(os.environ.get(APPS, "/nonexistent"), f"{name}.tar.gz")
        if not archive.is_file():
            pytest.skip(f"no {name}.tar.gz: set {APPS} to the folder of the apps' archives")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        app = next(folder.glob("*/pushed")).parent
        old = str(_read(app / "pushed/about.json")["stackName"])
        new = f"{old.rpartition('-')[0]}-{secrets.token_hex(3)[:5]}"
        for path in app.rglob("*"):
            if path.suffix in _TEXT and old in (text := path.read_text(encoding="utf-8")):
                path.write_text(text.replace(old, new), encoding="utf-8")
        for path in app.glob("pushed/nested/api*.json"):
            # AppSync makes no key that has expired, and these were made long ago.
            path.write_text(_EXPIRES.sub(f'"Expires": {key_expires()}', path.read_text(encoding="utf-8")))
        return cls(app, new)

    @property
    def region(self) -> str:
        """Where it was pushed to."""
        return str(_read(self.folder / "pushed/about.json")["region"])

    @property
    def project(self) -> str:
        """Amplify's name of the app."""
        return self.stack_name.split("-")[1]

    @property
    def environment(self) -> str:
        """The Amplify environment."""
        return self.stack_name.split("-")[2]

    def export(self, kind: str) -> Path:
        """An export of it, by its kind: `as-pushed`, `recompiled` ..."""
        return next(self.folder.glob(f"{kind}/*/amplify-export-manifest.json")).parent

    @cached_property
    def parameters(self) -> Mapping[str, Mapping[str, str]]:
        """The parameters that ran, by path of the nested stack; the ids in them are another account's."""
        found: Mapping[str, Mapping[str, str]] = _read(self.folder / "pushed/parameters.json")
        return found

    @cached_property
    def backend(self) -> CloudBackend:
        """What the CLI had when it pushed."""
        root = _read(self.folder / "pushed/root.json")
        objects = {}
        for name, resource in root["Resources"].items():
            if resource["Type"] == STACK:
                given = resource["Properties"].get("Parameters") or {}
                if SOCIAL in given:
                    # They were taken out of what is at hand.
                    given[SOCIAL] = json.dumps([{**item, **SECRETS} for item in json.loads(given[SOCIAL])])
                key = str(resource["Properties"]["TemplateURL"]).partition("-deployment/")[2]
                assert key.startswith(f"{TEMPLATES}/"), key
                objects[key] = (self.folder / f"pushed/nested/{name}.json").read_bytes()
        tags = {"user:Stack": self.environment, "user:Application": self.project}
        return CloudBackend(self.stack_name, root, {**objects, **self._appsync(root), **self._code()}, tags, self._meta)

    def _appsync(self, root: Mapping[str, Any]) -> dict[str, bytes]:
        """Schema, resolvers and the children's templates of the GraphQL API, under the prefix that it reads from."""
        found: dict[str, bytes] = {}
        for name, resource in root["Resources"].items():
            prefix = (resource.get("Properties", {}).get("Parameters") or {}).get("S3DeploymentRootKey")
            if not prefix:
                continue
            files = next(self.export("as-pushed").glob("api/*/amplify-appsync-files"))
            for path in files.rglob("*"):
                if path.is_file():
                    found[f"{prefix}/{path.relative_to(files).as_posix()}"] = path.read_bytes()
            for path in (self.folder / f"pushed/nested/{name}").glob("*.json"):
                file = "CustomResources.json" if path.stem == "CustomResourcesjson" else path.name
                found[f"{prefix}/stacks/{file}"] = path.read_bytes()
        return found

    def _code(self) -> dict[str, bytes]:
        """The functions' archives under the keys that ran."""
        found = {}
        for name, given in self.parameters.items():
            if "s3Key" in given:
                folder = self.export("as-pushed") / "function" / name.removeprefix("function") / "amplify-builds"
                found[given["s3Key"]] = next(folder.glob("*.zip")).read_bytes()
        return found

    @property
    def _meta(self) -> Mapping[str, Any]:
        """The resources by category, as amplify-meta.json has them."""
        found: dict[str, dict[str, Any]] = {}
        for item in _read(self.export("as-pushed") / "category-stack-mapping.json"):
            entry = {"service": item["service"], "providerPlugin": "awscloudformation"}
            found.setdefault(item["category"], {})[item["resourceName"]] = entry
        return found

    def bring(self, clients: Clients) -> None:
        """`amplify init` and `amplify push` into the account of `clients`."""
        init(clients, self.backend)
        push(clients, self.backend)


@dataclass(frozen=True)
class FurtherApp(PushedApp):
    """An export of this repository, as the CLI pushes what was exported: an app of which no push was kept."""

    @classmethod
    def unpack(cls, name: str, folder: Path) -> FurtherApp:
        """An app with a suffix of its own."""
        exported = next((EXPORTS / name).glob("amplify-export-*"))
        old = str(_read(exported / "amplify-export-manifest.json")["stackName"])
        new = f"{old.rpartition('-')[0]}-{secrets.token_hex(3)[:5]}"
        (folder / "as-pushed").mkdir(parents=True)
        renamed(exported, folder / "as-pushed" / exported.name, new)
        return cls(folder, new)

    @property
    def region(self) -> str:
        return "eu-central-1"

    @cached_property
    def backend(self) -> CloudBackend:
        """What the CLI has when it pushes."""
        return backend_of(self.export("as-pushed"))


@dataclass(frozen=True)
class Running:
    """What runs and what it holds, to be compared before and after."""

    resources: Mapping[str, str]
    """Physical ids of all leaf resources, by the path of logical ids."""
    items: Mapping[str, tuple[str, ...]]
    """The items of each table, as sorted JSON, by the table's name."""
    objects: Mapping[str, Mapping[str, str]]
    """The ETag of each object, by bucket and key."""
    users: Mapping[str, tuple[str, ...]]
    """The users of each pool, by its id."""
    trust: Mapping[str, Any]
    """The trust of the two auth roles, by logical id."""


def fill(clients: Clients, stack: str) -> None:
    """Put an item into every table, an object into every bucket but the deployment's, a user into every pool."""
    for path, kind, physical_id in leaves(clients("cloudformation"), stack):
        match kind:
            case "AWS::DynamoDB::Table":
                table = clients("dynamodb").describe_table(TableName=physical_id)["Table"]
                types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
                values = {"S": "kept", "N": "1", "B": b"kept"}
                item = {
                    k["AttributeName"]: {t: values[t]} for k in table["KeySchema"] for t in [types[k["AttributeName"]]]
                }
                clients("dynamodb").put_item(TableName=physical_id, Item={**item, "of": {"S": path}})
            case "AWS::S3::Bucket" if path != "DeploymentBucket":
                clients("s3").put_object(Bucket=physical_id, Key="public/kept.txt", Body=path.encode())
            case "AWS::Cognito::UserPool":
                pool = clients("cognito-idp").describe_user_pool(UserPoolId=physical_id)["UserPool"]
                name = "+15550100" if pool.get("UsernameAttributes") == ["phone_number"] else "kept@example.com"
                clients("cognito-idp").admin_create_user(UserPoolId=physical_id, Username=name)


def running(clients: Clients, stack: str) -> Running:
    """What runs in the root stack and below it."""
    resources: dict[str, str] = {}
    items, objects, users, trust = {}, {}, {}, {}
    for path, kind, physical_id in leaves(clients("cloudformation"), stack):
        resources[path] = physical_id
        match kind:
            case "AWS::DynamoDB::Table":
                found = clients("dynamodb").scan(TableName=physical_id)["Items"]
                items[physical_id] = tuple(sorted(json.dumps(item, sort_keys=True, default=str) for item in found))
            case "AWS::S3::Bucket" if path != "DeploymentBucket":
                listed = clients("s3").list_objects_v2(Bucket=physical_id).get("Contents", [])
                objects[physical_id] = {o["Key"]: o["ETag"] for o in listed}
            case "AWS::Cognito::UserPool":
                pool = clients("cognito-idp").list_users(UserPoolId=physical_id)["Users"]
                users[physical_id] = tuple(sorted(u["Username"] for u in pool))
            case "AWS::IAM::Role" if path in ("AuthRole", "UnauthRole"):
                trust[path] = clients("iam").get_role(RoleName=physical_id)["Role"]["AssumeRolePolicyDocument"]
    return Running(resources, items, objects, users, trust)


def leaves(cloudformation: Any, stack: str, above: str = "") -> Iterator[tuple[str, str, str]]:
    """Path of logical ids, type and physical id of each resource that is no nested stack."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for resource in [r for page in pages for r in page["StackResourceSummaries"]]:
        path, physical_id = f"{above}{resource['LogicalResourceId']}", str(resource["PhysicalResourceId"])
        if resource["ResourceType"] == STACK:
            yield from leaves(cloudformation, physical_id, f"{path}/")
        else:
            yield path, resource["ResourceType"], physical_id


def _read(path: Path) -> Any:
    return json.loads(path.read_bytes())
