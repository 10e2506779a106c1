"""A backend that `amplify push` has made, with data in it: adopted in place, delivered, and kept from losing any."""

from __future__ import annotations

import json
import shutil
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

    _rename_key(developer.folder)
    said = developer.refused("up", ENVIRONMENT)
    play.true(
        "Todo/TodoTable" in said and dynamodb.scan(TableName=table)["Items"] == [_ITEM],
        "a release that would make its table anew, empty, is refused before anything has begun",
        said,
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


def _rename_key(folder: Path) -> None:
    """A developer's mistake: another key, which no table can be changed to."""
    file = next(_export(folder).glob("api/*/amplify-appsync-files/stacks/Todo.json"))
    template = json.loads(file.read_text(encoding="utf-8"))
    properties = template["Resources"]["TodoTable"]["Properties"]
    for attribute in (*properties["KeySchema"], *properties["AttributeDefinitions"]):
        if attribute["AttributeName"] == "id":
            attribute["AttributeName"] = "number"
    file.write_text(json.dumps(template), encoding="utf-8")


def _document(output: str) -> Any:
    """The JSON document in a command's output, which has progress lines as well."""
    found, _ = json.JSONDecoder().raw_decode(output, output.index("{"))
    return found
