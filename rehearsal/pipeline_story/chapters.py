"""The story of an app and its pipeline, chapter by chapter. Each acts as people do, and then looks whether it is so."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from rehearsal.pipeline_service.state import CANCELLED, FAILED, IN_PROGRESS, SUCCEEDED
from rehearsal.pipeline_story.people import Person
from rehearsal.pipeline_story.pipeline import all_succeeded, status_of
from rehearsal.pipeline_story.play import Play
from rehearsal.pipeline_story.setting import PIPELINE
from rehearsal.setup.cache import CHECKOUT

EXPORTS = CHECKOUT / "tests" / "exports" / "todo-series"
"""The example app over its time: a field added (v2), a second model (v3)."""

_QA = "qa"
_QA_STAGE = """\
    - name: QA
"""


@dataclass(frozen=True)
class Chapter:
    """A part of the story."""

    title: str
    text: str
    play: Callable[[Play], None]


def developers_copy(play: Play) -> None:
    developer = play.setting.developer
    developer.pulumi("stack", "init", "dev")
    developer.pulumi("up", "-s", "dev", "--yes", "--skip-preview")
    outputs = json.loads(developer.pulumi("stack", "output", "-s", "dev", "--json"))
    play.true("graphqlEndpoint" in outputs, "a backend of her own, with its staging area, and no bootstrap before it")


def three_accounts(play: Play) -> None:
    setting = play.setting
    # Three people, at the same time.
    with ThreadPoolExecutor() as people:
        tooling = people.submit(_tooling_state, play)
        enrolled = [people.submit(owner.delivery, "enrol", name) for name, owner in setting.owners.items()]
        for done in enrolled:
            done.result()
        devops = tooling.result()
    for environment, owner in setting.owners.items():
        play.fact(f"{owner.account} lets {setting.names.pipeline} in, through {play.names(environment).door_role}")
    setting.repository.push("First delivery")
    devops.pulumi("up", "-s", PIPELINE, "--yes", "--skip-preview")


def first_run(play: Play) -> None:
    first = play.arrive(play.setting.repository.head)
    play.must_wait(first)
    assembly = play.assembly
    play.true(all_succeeded(first, "PreProd"), "PreProd is deployed, and its test got the service's URL and an answer")
    play.touched("preprod", assembly)
    _not_there(play, "prod")
    # Nobody waits for production: the next commit is pushed while this one waits for its approval.
    _commit_export(play, "v2", "A field added")
    play.approve(first)
    play.touched("prod", assembly)
    for environment in ("preprod", "prod"):
        _answers(play, environment)
    play.true(
        all(e.status in (SUCCEEDED, IN_PROGRESS) for e in play.pipeline.executions),
        "the pipeline was as declared: UpdatePipeline has changed nothing",
    )


def exported_again(play: Play) -> None:
    execution = play.arrive(play.setting.repository.head)
    play.must_wait(execution)
    play.touched("preprod", play.assembly)
    play.unchanged("prod")
    # Meanwhile the owner of PreProd's account makes a place for QA, which the next chapter wants.
    _add_qa(play)
    with ThreadPoolExecutor() as people:
        enrolled = people.submit(play.setting.owners[_QA].delivery, "enrol", _QA)
        play.approve(execution)
        enrolled.result()
    play.touched("prod", play.assembly)


def stage_added(play: Play) -> None:
    setting = play.setting
    _stop_service(play, "preprod")
    known = len(play.pipeline.executions)
    stage = setting.repository.push("A stage for QA")
    play.pipeline.wait_for_stage("Build", stage)
    commit = _commit_export(play, "v3", "A second model, a relation, a field rule")
    with play.watch(play.pipeline):
        execution = play.pipeline.wait_for_stage("PublishAssets", commit)
    play.true(
        "QA" in [stage.name for stage in execution.pipeline.stages],
        "the pipeline has changed itself, and what was pushed meanwhile goes through the new one",
    )
    runs = play.pipeline.executions[known:]
    play.true(
        runs[-1] is execution and all(e.status == CANCELLED for e in runs[:-1]),
        f"no loop: {len(runs) - 1} executions were cancelled, and the one that started again holds their commits",
        str([(e.id, e.status, e.outputs.get("source", {}).get("CommitMessage")) for e in runs]),
    )


def test_fails(play: Play) -> None:
    execution = play.arrive(play.setting.repository.head)
    play.true(
        status_of(execution, "PreProd", "Deploy-preprod") == SUCCEEDED
        and status_of(execution, "PreProd", "TestService-preprod") == FAILED,
        "the test after PreProd has failed: its service does not answer",
        play.pipeline.why(execution),
    )
    play.true("QA-Plan" not in execution.stages and "Prod" not in execution.stages, "no later stage was reached")
    play.unchanged("prod")

    _start_service(play, "preprod")
    play.pipeline.retry(execution, "PreProd")
    with play.watch(play.pipeline):
        execution = play.pipeline.leave(execution)
    play.must_wait(execution)
    deploys = [run for run in execution.history if run.action.name == "Deploy-preprod"]
    play.true(
        all_succeeded(execution, "PreProd") and len(deploys) == 1,
        "the cause is mended; a retry of the stage runs the failed test only, and the execution goes on",
    )
    play.true(all_succeeded(execution, "QA"), "the new stage: QA is deployed")
    for environment in ("preprod", _QA):
        play.touched(environment, play.assembly)

    play.pipeline.answer(execution, "Rejected", "not before the holidays")
    with play.watch(play.pipeline):
        execution = play.pipeline.leave(execution)
    play.true(
        execution.status == FAILED and "Prod" not in execution.stages,
        "the approval was rejected: Prod was not entered, and nothing was rolled back",
    )
    play.unchanged("prod")


CHAPTERS = (
    Chapter("A developer's own copy", "`pulumi up -s dev`: no bootstrap, no pipeline.", developers_copy),
    Chapter(
        "Three empty accounts",
        "State for the tooling account; each owner lets the pipeline into her account; the pipeline itself.",
        three_accounts,
    ),
    Chapter(
        "The first run",
        "Source, Build, UpdatePipeline, PublishAssets, PreProd with a test of its service, Prod after an approval. The "
        "next commit does not wait for it.",
        first_run,
    ),
    Chapter(
        "Exported again", "A commit with a new export and no change of code, queued behind the first.", exported_again
    ),
    Chapter(
        "A stage added",
        "A commit adds a stage for QA; another one is pushed while the pipeline is about to change itself. In PreProd, "
        "somebody has stopped the service.",
        stage_added,
    ),
    Chapter(
        "A failing test, a retry, a rejected approval",
        "The outage stops the release in PreProd. When it is over a retry lets it go on, to a person who says no.",
        test_fails,
    ),
)


def _tooling_state(play: Play) -> Person:
    """The tooling account's state, and the pipeline's Pulumi stack in it; its owner, logged in there."""
    names, devops = play.setting.names, play.setting.devops
    made = _document(devops.delivery("setup", "--account", names.account, "--region", names.region, "--json"))
    devops = devops.logged_in(made["backend"])
    devops.pulumi("stack", "init", PIPELINE, f"--secrets-provider={made['secretsProvider']}")
    return devops


def _document(output: str) -> dict[str, Any]:
    """The JSON document in a command's output, which has progress lines as well."""
    found: dict[str, Any]
    found, _ = json.JSONDecoder().raw_decode(output, output.index("{"))
    return found


def _add_qa(play: Play) -> None:
    """The files of one more environment, in preprod's account, and its stage before Prod."""
    setting = play.setting
    preprod, app = setting.project.environment("preprod"), setting.names.app
    setting.owners[_QA] = setting.owners["preprod"]
    setting.repository.write(
        f"Pulumi.{_QA}.yaml",
        f'config:\n  {app}:account: "{preprod.account}"\n  {app}:region: {preprod.region}\n  {app}:suffix: a8d06\n'
        f"  {app}:enrolled: true\n",
    )
    setting.repository.write(
        f"Pulumi.{_QA}-account.yaml", f"config:\n  {app}:program: account\n  {app}:environments:\n    - {_QA}\n"
    )
    file = setting.repository.clone / f"Pulumi.{PIPELINE}.yaml"
    before, prod, after = file.read_text(encoding="utf-8").partition("    - name: Prod\n")
    file.write_text(before + _QA_STAGE + prod + after, encoding="utf-8")


def _stop_service(play: Play, environment: str) -> None:
    """An operator's emergency stop: "set the reserved concurrency to zero" (Lambda developer guide, reserved
    concurrency). No template speaks of it, so no deployment mends it either."""
    functions = play.setting.owners[environment].client("lambda")
    functions.put_function_concurrency(FunctionName=_service(play, environment), ReservedConcurrentExecutions=0)


def _start_service(play: Play, environment: str) -> None:
    play.setting.owners[environment].client("lambda").delete_function_concurrency(
        FunctionName=_service(play, environment)
    )


def _service(play: Play, environment: str) -> str:
    return f"{play.names(environment).prefix}-hello"


def _commit_export(play: Play, version: str, message: str) -> str:
    play.setting.repository.put_export(next((EXPORTS / version).glob("amplify-export-*")))
    return play.setting.repository.push(message)


def _not_there(play: Play, environment: str) -> None:
    stacks = play.setting.owners[environment].client("cloudformation").list_stacks()["StackSummaries"]
    names = [stack["StackName"] for stack in stacks if stack["StackName"].startswith("amplify-")]
    play.true(not names, f"nothing is in {environment} before somebody approves", str(names))


def _answers(play: Play, environment: str) -> None:
    """The service of an environment answers whoever asks, as its outputs in the account's state bucket say."""
    names = play.names(environment)
    document = (
        play.setting.owners[environment]
        .client("s3")
        .get_object(Bucket=names.state_bucket, Key=f"outputs/{environment}.json")
    )
    url = json.loads(document["Body"].read())["helloUrl"]["value"]
    asked = subprocess.run(
        ["curl", "-Ssf", "--max-time", "20", "--noproxy", "*", url], capture_output=True, text=True, check=False
    )
    play.true(f'"environment": "{environment}"' in asked.stdout, f"{environment}: {url} says hello", asked.stderr)
