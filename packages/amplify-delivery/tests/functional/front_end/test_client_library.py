"""Amplify's own library for JavaScript reads both files, and they say the same to it; a user signs in with it.

Core 6.19.2 and what belongs to it, from npm by a lock: `parseAmplifyConfig` is what `Amplify.configure(...)` calls.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.client_config import Backend, files, of_assembly
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.environment.front_end.running_backend import of_stack
from amplify_delivery.export import Assembly, EnvironmentValues
from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.setup.node import ensure_locked, ensure_node
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal_tests.absent import fetched
from aws_rehearsal_tests.local_account import LocalAccount
from functional.enforcement.deployed_apps import deployable
from unit.client_config.backends import REGION, everything, written
from unit.client_config.conftest import NAMES, App, app
from unit.client_config.test_categories import hosted
from unit.export.conftest import app_export, assembly_of
from unit.places import REPOSITORY

__all__ = ["app", "app_export", "assembly_of"]

# Custom resources run in one process (packages/aws-rehearsal/tests/aws_rehearsal_tests/local_aws/test_functions.py).
pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("functions")]

HERE = Path(__file__).parent
Script = Callable[..., Any]
Parse = Callable[[Sequence[Backend]], list[tuple[dict[str, Any], dict[str, Any]]]]


@pytest.fixture(scope="module")
def script() -> Script:
    """Runs a script of this folder beside the library: what it prints, read as JSON."""
    progress = Progress()
    with fetched("library of Amplify for JavaScript"):
        node = ensure_node(progress)
        modules = ensure_locked(node, HERE, progress)

    def run(name: str, *arguments: object) -> Any:
        ran = subprocess.run(
            [node.binary, HERE / name, *map(str, arguments)],
            env={**os.environ, "NODE_PATH": str(modules)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return run


@pytest.fixture(scope="module")
def parse(script: Script, tmp_path_factory: pytest.TempPathFactory) -> Parse:
    """What the library makes of each backend's aws-exports.js and amplify_outputs.json."""

    def parsed(backends: Sequence[Backend]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        file = tmp_path_factory.mktemp("configurations") / "both.json"
        file.write_text(json.dumps([[written(b, "javascript"), written(b, "outputs")] for b in backends]))
        return [(web, gen2) for web, gen2 in script("parse.cjs", file)]

    return parsed


def in_common(web: dict[str, Any], gen2: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both without what only one of the two can say."""
    web, gen2 = json.loads(json.dumps(web)), json.loads(json.dumps(gen2))
    for only in ("Interactions", "Predictions"):
        web.pop(only, None)
    # A REST API has no place in Gen 2's file but `custom`, which a client passes on itself.
    web.get("API", {}).pop("REST", None)
    for found in (web, gen2):
        # Gen 1's file does not say it: its library takes every backend for one with guests.
        found.get("Auth", {}).get("Cognito", {}).pop("allowGuestAccess", None)
        if found.get("API") == {}:
            del found["API"]
    gen2.get("Auth", {}).get("Cognito", {}).pop("groups", None)
    return web, gen2


@pytest.mark.parametrize("name", NAMES)
def test_of_a_real_app_the_library_reads_the_same_of_both(name: str, app: Callable[[str], App], parse: Parse) -> None:
    [(web, gen2)] = parse([app(name).of_export()])
    assert {"Auth", "API"} <= gen2.keys()
    first, second = in_common(web, gen2)
    assert first == second


def test_of_every_category_as_well(parse: Parse) -> None:
    (web, gen2), (hosted_web, hosted_gen2) = parse([everything(), hosted()])
    assert {"Auth", "API", "Storage", "Analytics", "Geo", "Notifications"} <= gen2.keys()
    first, second = in_common(web, gen2)
    assert first == second
    first, second = in_common(hosted_web, hosted_gen2)
    assert first == second
    assert second["Auth"]["Cognito"]["loginWith"]["oauth"]["providers"] == ["Google", "Amazon", "Apple"]
    assert gen2["Auth"]["Cognito"]["groups"] == [{"Admins": {"precedence": 1}}]
    assert web["API"]["REST"] == {"orders": {"endpoint": "https://o.example/dev", "region": REGION}}


def test_the_lines_of_the_page_configure_it(script: Script, tmp_path: Path) -> None:
    """As docs/front-end.md prints them: one of several addresses, REST APIs beside Gen 2's file, and a stream."""
    page = (REPOSITORY / "docs" / "front-end.md").read_text()
    heads = ("Hosted UI", "REST APIs", "Kinesis")
    blocks = [re.findall(rf"\*\*{head}\..*?```js\n(.*?)```", page, re.DOTALL)[0] for head in heads]
    both = everything()
    given = {
        "blocks": blocks,
        "config": written(hosted(), "javascript"),
        "outputs": written(both, "outputs"),
        "origin": "https://a.example",
    }
    file = tmp_path / "lines.json"
    file.write_text(json.dumps(given))
    told = script("lines.cjs", file)
    signing_in, rest, stream = told["found"]
    oauth = signing_in["Auth"]["Cognito"]["loginWith"]["oauth"]
    assert (oauth["redirectSignIn"], oauth["redirectSignOut"]) == (["https://a.example/"], ["https://a.example/out/"])
    assert rest["API"]["REST"]["orders"]["endpoint"] == "https://o.example/dev"
    assert rest["API"]["GraphQL"]["endpoint"] == "https://g.example/graphql"
    assert stream["Analytics"]["Kinesis"] == {"region": "eu-west-1"}
    assert [one["streamName"] for one in told["recorded"]] == ["clicks-prod"]


def test_a_user_signs_in_writes_and_lists(
    developer: LocalAccount, assembly_of: Callable[[str], Assembly], script: Script, tmp_path: Path
) -> None:
    """With the lines of docs/front-end.md, against a backend of the local AWS: whose key lets nobody list."""
    in_a_month = int(time.time()) + 30 * 24 * 60 * 60
    url, name = deployable(developer, assembly_of("full"), EnvironmentValues("visited", in_a_month))
    assert developer.create(url, name)["StackStatus"] == "CREATE_COMPLETE", developer.reasons(name)
    declared = of_assembly(assembly_of("full"))
    backend = of_stack(with_the_pages_rights(developer, name), name, declared).backend
    file = tmp_path / "amplifyconfiguration.json"
    file.write_text(files(backend, "javascript")[file.name])
    pool = {"UserPoolId": json.loads(file.read_text())["aws_user_pools_id"], "Username": "ann@example.com"}
    cognito = developer.client("cognito-idp")
    cognito.admin_create_user(**pool, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**pool, Password="Passw0rd!x", Permanent=True)

    told = script("visit.cjs", file, f"{developer.aws.endpoint}/", "ann@example.com", "Passw0rd!x")
    todo = {"name": "Milk", "owner": told["sub"]}
    assert told == {
        "guest": "Not Authorized to access listTodos on type Query",
        "signedIn": True,
        "credentials": True,
        "sub": told["sub"],
        "written": todo,
        "listed": [todo],
    }


@dataclass(frozen=True)
class Reader:
    """What is asked of an account, by somebody who may only read stacks."""

    developer: LocalAccount
    credentials: Credentials
    place: str = "here"

    @property
    def region(self) -> str:
        return self.developer.region

    def client(self, service: str) -> Any:
        return self.developer.aws.client(service, self.credentials, self.region)

    def asking(self, *_: Any) -> Any:
        return nullcontext()


def with_the_pages_rights(developer: LocalAccount, root: str) -> Account:
    """The account, as a CI sees it that has no other rights than those of the role in docs/front-end.md."""
    page = (REPOSITORY / "docs" / "front-end.md").read_text()
    policy, _ = re.findall(r"```json\n(\{\n  \"Version.*?)```", page, re.DOTALL)
    ours = policy.replace(
        "eu-west-1:444444444444:stack/amplify-myapp-prod-", f"{developer.region}:{developer.account}:stack/{root}"
    )
    assert root in ours
    iam = developer.client("iam")
    iam.create_user(UserName="frontend")
    iam.put_user_policy(UserName="frontend", PolicyName="read", PolicyDocument=ours)
    key = iam.create_access_key(UserName="frontend")["AccessKey"]
    reader = Reader(developer, Credentials(developer.account, key["AccessKeyId"], key["SecretAccessKey"]))
    with pytest.raises(ClientError, match="not authorized to perform: s3:ListAllMyBuckets"):
        reader.client("s3").list_buckets()
    return cast("Account", reader)
