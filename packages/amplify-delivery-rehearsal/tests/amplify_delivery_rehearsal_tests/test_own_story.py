"""A team's own project in the rehearsal: made by `init`, with environments and regions of its own."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.errors import ConfigError, ExportRefused
from amplify_delivery.stacks.config import Project
from amplify_delivery_rehearsal.conformance.proxy import Proxy
from amplify_delivery_rehearsal.pipeline_story import own, setting, telling
from amplify_delivery_rehearsal.pipeline_story.chapters import Chapter
from amplify_delivery_rehearsal.pipeline_story.play import Play
from amplify_delivery_rehearsal_tests import looking
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.pipeline_service.state import FAILED, SUCCEEDED
from functional.front_end import web_page
from unit.places import EXPORTS, PYTEST_AS_LOCKED, REPOSITORY

PAGE = REPOSITORY / "docs" / "tutorial-pipeline.md"
Typed = dict[str, list[str]]
"""Commands by who types them."""
PEOPLE = ("developer", "devops", "owner of prod")
AMPLIFY = """#!/bin/bash
# The Amplify CLI, which is called in the Amplify project.
set -e
[ "$#: $1 $2 in ${PWD##*/}" = "3: export --out in todo" ]
cp -R "$EXPORT" "$3/amplify-export-mytodoapp"
"""


def sections() -> list[Typed]:
    """The commands of the page, section by section; the first line of each block says who types it."""
    before, *parts = re.split(r"^## \d\. .+$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert "```" not in before
    found: list[Typed] = []
    for part in parts:
        typed: Typed = {}
        blocks = re.findall(r"^```sh\n# (.+)\n((?:.+\n)+?)```$", part, re.M)
        assert len(blocks) * 2 == part.count("```"), f"a block that nobody types:{part}"
        for person, lines in blocks:
            assert person in PEOPLE, f"who is {person}?"
            typed.setdefault(person, []).extend(as_typed(line) for line in lines.splitlines())
        found.append(typed)
    return found


def as_typed(command: str) -> str:
    """A command in one form: what only that run knows (a token, a person's words) by name, and without the flags that
    answer for a person."""
    words = shlex.split(command)
    words = ["amplify-delivery", *words[3:]] if words[1:3] == ["-m", "amplify_delivery"] else words
    text = " ".join(word for word in words if word not in ("--yes", "--skip-preview", "--json"))
    return re.sub(r"summary=.*", "summary=SUMMARY", re.sub(r"--token \S+", "--token TOKEN", text))


def told(chapter: dict[str, Any]) -> Typed:
    """What people have typed in a chapter of the story."""
    typed: Typed = {}
    for person, command in chapter["commands"]:
        typed.setdefault(person, []).append(as_typed(command))
    return typed


def made(folder: Path) -> Path:
    """What a team holds after the tutorial's `amplify-delivery init`."""
    folder.mkdir()
    beside = folder.parent / "beside"
    (beside / "todo").mkdir(parents=True)
    (beside / "todo-delivery").symlink_to(folder)
    amplify = beside / "bin" / "amplify"
    amplify.parent.mkdir()
    amplify.write_text(AMPLIFY)
    amplify.chmod(0o755)
    (written,) = (EXPORTS / "todo").glob("amplify-export-*")
    export, *others = sections()[0]["developer"]
    path = {"PATH": f"{amplify.parent}:{os.environ['PATH']}", "EXPORT": str(written)}
    # By its name beside the Amplify project, where the page has it: `cd ../todo` is from there.
    typed = f"cd {shlex.quote(str(beside / 'todo-delivery'))} && {export}"
    subprocess.run(["bash", "-c", typed], env={**os.environ, **path}, check=True)
    init, check = (shlex.split(line) for line in others)
    for command in (init, check):
        command[:1] = [sys.executable, "-m", "amplify_delivery"]
        subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return folder


def is_as_written(chapters: list[dict[str, Any]]) -> None:
    """What was typed is what the tutorial says, section by section and person by person; and nothing else is."""
    written = sections()[1:]
    devops = written[0]["devops"]
    (state,) = [line for line in devops if line.startswith("export ")]
    devops.remove(state)
    names = PipelineNames("mytodoapp", "999999999999", "us-west-2", "pipeline")
    assert state == f"export PULUMI_BACKEND_URL={names.state_backend}"
    # The last of them looks at what it has led to, for the rehearsal's own page.
    typed = [told(chapter) for chapter in chapters[:3]]
    looked = typed[-1].pop("owner of prod")
    assert looked == ["amplify-delivery report prod"]
    assert typed == written


def with_an_image(project: Path) -> None:
    """A Dockerfile, built in Build; the stage gives the image's address to whoever asks for the stack's outputs."""
    (project / "orders").mkdir()
    (project / "orders" / "Dockerfile").write_text("FROM scratch\nCOPY hello.txt /\n")
    settings = project / "Pulumi.yaml"
    images = "  containerImages:\n    type: object\n    default: {orders: {dockerfile: orders/Dockerfile}}\n"
    unset = "  containerImages:\n    type: object\n    default: {}\n"
    assert unset in settings.read_text()
    settings.write_text(settings.read_text().replace(unset, images))
    pipeline = project / "Pulumi.pipeline.yaml"
    build = "  mytodoapp:build:\n"
    assert build in pipeline.read_text()
    pipeline.write_text(pipeline.read_text().replace(build, f'{build}    privileged: "true"\n'))
    stage = project / "components" / "stage.py"
    line = "        self.backend = AmplifyBackend("
    assert line in stage.read_text()
    added = '        pulumi.export("ordersImage", environment.images["orders"])\n'
    stage.write_text(stage.read_text().replace(line, f"{added}{line}"))


def in_a_folder(project: Path) -> None:
    """The project is a folder of its repository: Build works there, and whatever follows finds it at its root."""
    file = project / "Pulumi.pipeline.yaml"
    file.write_text(file.read_text().replace("  mytodoapp:build:\n", "  mytodoapp:build:\n    folder: backends/todo\n"))


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], set[str]]]:
    """The services that people, engines, builds and the pipeline have called: all find AWS by one address."""
    proxies: dict[int, Proxy] = {}
    with ExitStack() as stack:

        def endpoint(aws: LocalAws) -> str:
            port = aws.port or 0
            if port not in proxies:
                proxies[port] = stack.enter_context(Proxy(port))
            return proxies[port].endpoint

        monkeypatch.setattr(LocalAws, "endpoint", property(endpoint))
        yield lambda: {call.partition(":")[0] for proxy in proxies.values() for call in proxy.calls}


@pytest.mark.engine
def test_a_project_of_ones_own_is_rehearsed_with_its_secrets_made_up(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    services: Callable[[], set[str]],
) -> None:
    """Its pipeline, its environment and region; what its stack files encrypt cannot be read here, and need not be. What
    it has delivered to Prod is seen on a web page. And a release with two indexes, which takes two updates, through
    that pipeline; with a container image, which is built once, in Build, and pushed by PublishAssets. The project lies
    in a folder of the repository."""
    project = made(tmp_path / "ma démo's")  # a folder of any name
    with_an_image(project)
    in_a_folder(project)
    file = project / "Pulumi.prod.yaml"
    file.write_text(f"secretsprovider: awskms://alias/of-the-real-account\nencryptedkey: AQIB\n{file.read_text()}")
    before = {path: path.read_bytes() for path in sorted(project.rglob("*")) if path.is_file()}
    story, build_image = own.story, setting.build_image
    monkeypatch.setattr(setting, "build_image", lambda *given: {**build_image(*given), **PYTEST_AS_LOCKED})
    looked = Chapter("Behind the pipeline", "A page shows what Prod holds.", lambda play: shows_prod(play, tmp_path))
    indexes = Chapter("Two indexes", "Stopped between the two, and retried.", two_indexes)
    monkeypatch.setattr(own, "story", lambda *given: (*story(*given), looked, indexes))
    code = telling.run(project, json_output=True)
    ran = capsys.readouterr()
    assert code == 0, ran.out[-3000:] + ran.err[-3000:]
    story_told = json.loads(ran.out)
    assert [chapter["outcome"] for chapter in story_told["chapters"]] == ["as expected"] * 5
    is_as_written(story_told["chapters"])
    # Gen 1's CLI and service may end: a pipeline goes on without both.
    assert {"cloudformation", "codebuild", "codepipeline", "ecr", "iam", "kms", "s3", "sts"} <= services()
    assert not {service for service in services() if service.startswith("amplify")}
    facts = [fact for chapter in story_told["chapters"] for fact in chapter["facts"]]
    assert "prod: untouched" in facts
    # Its images were built in the pipeline, and not in the clone: a report needs none.
    assert any(fact.startswith("prod: a report shows ") for fact in facts), facts
    assert story_told["environment"]["environment"] == "prod"
    after = {path: path.read_bytes() for path in sorted(project.rglob("*")) if path.is_file()}
    assert {path for path in after if path not in before} == {project / "build" / "rehearsal.html"}
    assert all(after[path] == content for path, content in before.items())


def shows_prod(play: Play, folder: Path) -> None:
    """With the lines of docs/front-end.md: what was delivered through the pipeline is what a visitor's browser asks."""
    telling._explain_keep(Console(file=(said := io.StringIO()), soft_wrap=True), play.setting)
    assert f"  . {play.setting.folder}/owner-of-prod.sh " in said.getvalue()
    # `pulumi up -s pipeline` finds it from there.
    devops = (play.setting.folder / "devops.sh").read_text()
    assert f"export PULUMI_BACKEND_URL={shlex.quote(play.setting.names.state_backend)}\n" in devops
    shell = looking.Shell(looking.page(folder / "reader"), play.setting.folder)
    shell.typed(looking.behind_a_pipeline())
    _, write = looking.of_an_export()
    names = ("Milk", "<b>Tea</b>")  # nothing that somebody writes is part of a page
    made = {json.loads(shell.typed(write.replace("Milk", n)))["data"]["createTodo"]["id"]: n for n in names}
    if seen := web_page.look(shell.here / "web"):
        assert ({todo["id"]: todo["name"] for todo in seen[0]["listTodos"]}, seen[1]) == (made, [])
    (api,) = play.setting.owners["prod"].client("appsync", "eu-central-1").list_graphql_apis()["graphqlApis"]
    configured = json.loads((shell.here / "web" / "src" / "amplifyconfiguration.json").read_text())
    assert configured["aws_appsync_graphqlEndpoint"] == api["uris"]["GRAPHQL"]


def two_indexes(play: Play) -> None:
    """With the rights of the declared roles; approved once. The image is there already."""
    owner, service = play.setting.owners["prod"], play.setting.service
    (image,) = owner.client("ecr", "eu-central-1").describe_images(repositoryName="mytodoapp/prod")["imageDetails"]
    assert image["imageTags"] == [f"orders-{image['imageDigest'].removeprefix('sha256:')}"]
    dynamodb = owner.client("dynamodb", "eu-central-1")
    (table,) = dynamodb.list_tables()["TableNames"]

    def indexes() -> set[str]:
        found = dynamodb.describe_table(TableName=table)["Table"].get("GlobalSecondaryIndexes", ())
        return {index["IndexName"] for index in found}

    keys = [{"id": {"S": str(number)}} for number in range(40)]  # so that DynamoDB takes its time for an index
    for key in keys:
        dynamodb.put_item(TableName=table, Item=key)
    _give_indexes(play.setting.repository.clone, "byDue", "byStatus")
    execution = play.arrive(play.push("Two indexes"))
    play.must_wait(execution)
    play.decide(play.pipeline, execution)

    def deploying() -> Any:
        runs = [run for run in execution.history if run.action.name == "Deploy-prod"]
        return runs[-1] if runs and indexes() == {"byDue"} else None

    build = service.wait_until(deploying).external_id
    owner.client("codebuild", "eu-central-1").stop_build(id=build)
    execution = play.pipeline.leave(execution)
    assert execution.status == FAILED
    (stage,) = [name for name, run in execution.stages.items() if run.status == FAILED]
    assert indexes() == {"byDue"}
    while len(keys) > 8:  # a shorter one for the next
        dynamodb.delete_item(TableName=table, Key=keys.pop())
    play.pipeline.retry(execution, stage)
    execution = play.pipeline.leave(execution)
    play.must(execution.status == SUCCEEDED, execution)
    assert indexes() == {"byDue", "byStatus"}
    assert len([run for run in execution.history if run.action.category == "Approval"]) == 1
    again = next(run for run in reversed(execution.history) if run.action.name == "Deploy-prod")
    said = service.log(again.external_id or "")
    # Where DynamoDB was done with the first one by then, one update is left, and it is an ordinary one.
    assert "index byStatus is " in said or "index byDue is CREATING, waiting" in said, said[-4000:]
    assert "index byDue is made" not in said
    play.touched("prod", play.assembly)
    items = dynamodb.scan(TableName=table)["Items"]
    assert len(keys) == 8
    shown = {item["name"]["S"] for item in items if "name" in item}
    assert shown == {"Milk", "<b>Tea</b>"}  # what the page has shown
    assert len(items) == len(keys) + len(shown)


def _give_indexes(project: Path, *names: str) -> None:
    """Two @index of the model."""
    file = next(project.glob("amplify-export-*/api/*/amplify-appsync-files/stacks/Todo.json"))
    template = json.loads(file.read_text())
    properties = template["Resources"]["TodoTable"]["Properties"]
    properties["AttributeDefinitions"] += [{"AttributeName": name, "AttributeType": "S"} for name in names]
    properties["GlobalSecondaryIndexes"] = [
        {
            "IndexName": name,
            "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        for name in names
    ]
    file.write_text(json.dumps(template))


def written(folder: Path, **files: str) -> Project:
    (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    for stack, text in files.items():
        (folder / f"Pulumi.{stack}.yaml").write_text(text)
    return Project(folder)


def test_what_cannot_be_decrypted_is_taken_out(tmp_path: Path) -> None:
    live = """
secretsprovider: awskms://alias/key
encryptedkey: AQIB
config:
  app:account: "012345678901"
  app:parameters:
    authPool:
      secret:
        secure: v1:abc
      plain: kept
      count: 5
"""
    other = 'config:\n  app:account: "012345678902"  # as it was\n'
    project = written(tmp_path, live=live, other=other)
    [secret] = own.without_secrets(project)
    assert (secret.stack, secret.path) == ("live", ("parameters", "authPool", "secret"))
    assert secret.value({("authPool", "secret"): "given"}) == "given"
    assert secret.value({}).startswith("rehearsed-")
    left = yaml.load((tmp_path / "Pulumi.live.yaml").read_text(), Loader=yaml.BaseLoader)
    assert 'account: "012345678901"' in (tmp_path / "Pulumi.live.yaml").read_text()  # a number to the engine's YAML
    assert left == {
        "config": {"app:account": "012345678901", "app:parameters": {"authPool": {"plain": "kept", "count": "5"}}}
    }
    assert (tmp_path / "Pulumi.other.yaml").read_text() == other


def test_a_secret_that_is_given_is_set_in_each_environment() -> None:
    """Though no stack file encrypts it yet: whoever tries an export of hers has made no secret of it."""
    there = own.Secret("prod", ("parameters", "authPool", "secret"))
    given = {("authPool", "secret"): "a", ("functionPay", "key"): "b"}
    found = own.with_given((there,), given, ("preprod", "prod"))
    assert [(secret.stack, secret.path[1:], secret.value(given)) for secret in found] == [
        ("prod", ("authPool", "secret"), "a"),
        ("preprod", ("authPool", "secret"), "a"),
        ("preprod", ("functionPay", "key"), "b"),
        ("prod", ("functionPay", "key"), "b"),
    ]


@pytest.mark.parametrize(
    ("pipelines", "said"), [([], "no stack file here is a pipeline's"), (["a", "b"], "several pipelines here: a, b")]
)
def test_which_pipeline_is_meant_is_told_before_anything_starts(
    tmp_path: Path, pipelines: list[str], said: str
) -> None:
    project = written(tmp_path, **dict.fromkeys(pipelines, "config:\n  app:program: pipeline\n"))
    with pytest.raises(ConfigError, match=said):
        own.pipeline_stack(project)


def test_a_folder_without_a_project_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no Pulumi.yaml here") as caught:
        own.project_of(tmp_path)
    assert "amplify-delivery init" in caught.value.remedy


def with_export(folder: Path, export: Path) -> Project:
    """A project of that export with one environment and its pipeline."""
    shutil.copytree(export, folder / export.name)
    project = written(
        folder,
        prod='config:\n  APP:account: "222222222222"\n  APP:region: eu-west-1\n  APP:bootstrapped: "true"\n',
        pipeline='config:\n  APP:program: pipeline\n  APP:account: "333333333333"\n  APP:region: eu-west-1\n'
        "  APP:source: {connection: 'arn:aws:codeconnections:eu-west-1:333333333333:connection/1', repository: a/b}\n"
        "  APP:stages: [{name: Prod}]\n",
    )
    for file in folder.glob("Pulumi*.yaml"):
        app = export.name.removeprefix("amplify-export-")
        file.write_text(file.read_text().replace("APP:", f"{app}:").replace("name: app\n", f"name: {app}\n"))
    return project


def test_an_export_that_cannot_be_delivered_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_export(tmp_path, EXPORTS / "triggers" / "amplify-export-trigapp")
    monkeypatch.setattr(telling, "ensure_all", lambda _: pytest.fail("the set-up has begun"))
    with pytest.raises(ExportRefused, match="AD206"):
        telling.run(tmp_path)


def test_one_that_is_assembled_already_is_not_asked_for(tmp_path: Path) -> None:
    project = with_export(tmp_path, EXPORTS / "triggers" / "amplify-export-trigapp")
    file = project.file("prod")
    file.write_text(f"{file.read_text()}  trigapp:assembly: assembly\n")
    assert own.made_up(Project(tmp_path), ["prod"], {}) == {}
