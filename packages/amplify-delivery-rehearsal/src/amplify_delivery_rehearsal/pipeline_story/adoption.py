"""A backend that `amplify push` has made, with data in it: adopted in place, delivered, and kept from losing any."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from amplify_delivery_rehearsal.amplify_push import init, push
from amplify_delivery_rehearsal.example import SERIES
from amplify_delivery_rehearsal.inventory import take
from amplify_delivery_rehearsal.pipeline_story.people import Person
from amplify_delivery_rehearsal.pipeline_story.play import Play
from amplify_delivery_rehearsal.pushed_export import backend_of, renamed

ENVIRONMENT = "live"
_SUFFIX = "5af8b"
_ITEM = {"id": {"S": "1"}, "name": {"S": "made before the adoption"}}


def adoption(play: Play) -> None:
    """Played by the developer, whose account the backend lives in."""
    setting = play.setting
    name = f"amplify-{setting.names.app}-{ENVIRONMENT}-{_SUFFIX}"
    developer = replace(setting.developer, folder=_project(play, name))
    cloudformation, dynamodb = developer.client("cloudformation"), developer.client("dynamodb")

    pushed = backend_of(_export(developer.folder))
    for command, does in (("amplify init", init), ("amplify push --yes", push)):
        developer.told(developer, command)
        does(developer.client, pushed)
    before = take(cloudformation, name)
    table = _physical(before, "Todo/", "TodoTable")
    dynamodb.put_item(TableName=table, Item=_ITEM)
    trust = _trust(developer, name)

    adopted = _document(developer.delivery("adopt", ENVIRONMENT, "--json"))
    play.true(
        take(cloudformation, name) == before and not adopted["plan"]["dataLoss"],
        f"{name} is adopted: {len(before.resources)} resources, and nothing in AWS was changed",
    )
    developer.delivery("deploy", ENVIRONMENT, "--plan", adopted["plan"]["digest"])
    after = take(cloudformation, name)
    kept = {place: found[:2] for place, found in after.resources.items()}
    play.true(
        kept == {place: found[:2] for place, found in before.resources.items()},
        "it is delivered: every resource is the very one that `amplify push` has made",
        str({p for p in {*kept, *before.resources} if kept.get(p) != before.resources.get(p, ())[:2]}),
    )
    play.true(
        dynamodb.scan(TableName=table)["Items"] == [_ITEM] and _trust(developer, name) == trust,
        "its data is there, and its users can sign in to AWS as before",
    )

    with _changed(developer.folder, "stacks/Todo.json", _another_key):
        said = developer.refused("up", ENVIRONMENT)
    play.true(
        "Todo/TodoTable" in said and dynamodb.scan(TableName=table)["Items"] == [_ITEM],
        "a release that would make its table again, empty, is refused before anything has begun",
        said,
    )
    _and_back(play, developer, name)
    play.true(dynamodb.scan(TableName=table)["Items"] == [_ITEM], "and its data is there still")


def _and_back(play: Play, developer: Person, name: str) -> None:
    """A release that nobody likes, and the one before it again."""
    cloudformation = developer.client("cloudformation")
    adopted = take(cloudformation, name)
    with _changed(developer.folder, "schema.graphql", lambda schema: f"{schema}\n# a release that nobody likes\n"):
        developer.delivery("up", ENVIRONMENT)
    touched = take(cloudformation, name).touched_since(adopted)
    back = _document(developer.delivery("rollback", ENVIRONMENT, "--json"))
    developer.delivery("rollback", ENVIRONMENT, "--plan", back["plan"]["digest"])
    play.true(
        [step["path"] for step in back["plan"]["steps"] if "path" in step] == touched and len(touched) == 1,
        f"a release is rolled back: {touched[0]} is as it was, and nothing else was touched",
        f"touched {touched}, planned {back['plan']['steps']}",
    )


def _project(play: Play, name: str) -> Path:
    """The team's project: the example's program, the export of what runs, and a stack file with account and region."""
    app, developer = play.setting.names.app, play.setting.developer
    folder = play.setting.folder / "adopted"
    ignored = shutil.ignore_patterns("amplify-export-*", "Pulumi.*.yaml", ".git")
    shutil.copytree(play.setting.repository.clone, folder, symlinks=True, ignore=ignored)
    exported = next((SERIES / "v4").glob("amplify-export-*"))
    renamed(exported, folder / exported.name, name)
    (folder / f"Pulumi.{ENVIRONMENT}.yaml").write_text(
        f'config:\n  {app}:account: "{developer.account}"\n  {app}:region: {developer.region}\n', encoding="utf-8"
    )
    return folder


def _export(folder: Path) -> Path:
    return next(folder.glob("amplify-export-*"))


def _physical(inventory: Any, stack: str, logical_id: str) -> str:
    return next(
        str(found[1])
        for (path, name), found in inventory.resources.items()
        if path.endswith(stack) and name == logical_id
    )


def _trust(developer: Person, name: str) -> list[Any]:
    iam = developer.client("iam")
    roles = [iam.get_role(RoleName=f"{name}-{role}")["Role"] for role in ("authRole", "unauthRole")]
    return [role["AssumeRolePolicyDocument"] for role in roles]


@contextmanager
def _changed(folder: Path, end: str, change: Callable[[str], str]) -> Iterator[None]:
    """A file of the API in the export, as the developer has changed it for a while."""
    file = next(_export(folder).glob(f"api/*/amplify-appsync-files/{end}"))
    text = file.read_text(encoding="utf-8")
    file.write_text(change(text), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


def _another_key(text: str) -> str:
    """A developer's mistake: no table can be changed to another key."""
    template = json.loads(text)
    properties = template["Resources"]["TodoTable"]["Properties"]
    for attribute in (*properties["KeySchema"], *properties["AttributeDefinitions"]):
        if attribute["AttributeName"] == "id":
            attribute["AttributeName"] = "number"
    return json.dumps(template)


def _document(output: str) -> Any:
    """The JSON document in a command's output, which has progress lines as well."""
    found, _ = json.JSONDecoder().raw_decode(output, output.index("{"))
    return found
