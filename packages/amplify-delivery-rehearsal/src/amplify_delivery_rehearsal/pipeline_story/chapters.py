"""The story of an app and its pipeline, chapter by chapter. Each acts as people do, and then looks whether it is so."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amplify_delivery_rehearsal.example import CHECKOUT, SERIES
from amplify_delivery_rehearsal.pipeline_story import front_end
from amplify_delivery_rehearsal.pipeline_story.adoption import adoption
from amplify_delivery_rehearsal.pipeline_story.pipeline import all_succeeded, status_of
from amplify_delivery_rehearsal.pipeline_story.play import Play
from amplify_delivery_rehearsal.pipeline_story.setting import PIPELINE
from aws_rehearsal.pipeline_service.state import CANCELLED, FAILED, SUCCEEDED, Execution

EXPORTS = SERIES
"""The example app over its time: a field added (v2), a second model (v3)."""

_SCHEDULE = "cron(0 6 1 1 ? *)"
_TOLD = "team@example.com"
"""Once a year: to be made by UpdatePipeline, not to be waited for."""
_ITEM = "made by a front end"
"""What a visitor writes after the first release, to be found after those that follow."""
_PROD_STAGE = "    - name: Prod\n"
"""Where the stage begins in the pipeline's stack file; it is the last one there."""


@dataclass(frozen=True)
class Chapter:
    """A part of the story."""

    title: str
    text: str
    play: Callable[[Play], None]
    beside: str = ""
    """The chapter that it begins with: it touches nothing of that one's, nor of those that follow."""


def empty_accounts(play: Play) -> None:
    setting = play.setting
    _without_prod(play)
    # Three people, at the same time.
    with ThreadPoolExecutor() as people:
        copy = people.submit(_developers_copy, play)
        state = people.submit(tooling_state, play)
        setting.owners["preprod"].delivery("bootstrap", "preprod")
        made, outputs = state.result(), copy.result()
    play.true("graphqlEndpoint" in outputs, "a developer has a backend of her own, with its staging area: no bootstrap")
    devops = setting.devops.logged_in(made["backend"])
    devops.pulumi("stack", "init", PIPELINE, f"--secrets-provider={made['secretsProvider']}")
    lets_in(play, "preprod")
    play.push("First delivery")
    devops.pulumi("up", "-s", PIPELINE, "--yes", "--skip-preview")


def first_run(play: Play) -> None:
    commit = play.setting.repository.head
    _with_prod(play)
    with ThreadPoolExecutor() as people:
        bootstrapped = people.submit(play.setting.owners["prod"].delivery, "bootstrap", "prod")
        first = play.arrive(commit)
        bootstrapped.result()
    play.must(first.status == SUCCEEDED, first)
    play.true(all_succeeded(first, "PreProd"), "PreProd is deployed, and its test got the service's URL and an answer")
    play.touched("preprod", play.assembly)
    _answers(play, "preprod")
    _front_end_built(play, first, "preprod")
    front_end.writes(play, "preprod", _endpoint(play, "preprod"), _ITEM)
    play.true(len(play.pipeline.executions) == 1, "the pipeline was as declared: UpdatePipeline has changed nothing")
    lets_in(play, "prod")


def stage_added(play: Play) -> None:
    _stop_service(play, "preprod")
    known = len(play.pipeline.executions)
    stage = play.push("A stage for production")
    play.pipeline.wait_for_stage("Build", stage)
    commit = _commit_export(play, "v2", "A field added")
    with play.watch(play.pipeline):
        execution = play.pipeline.wait_for_stage("PublishAssets", commit)
    play.true(
        "Prod" in [stage.name for stage in execution.pipeline.stages],
        "the pipeline has changed itself, and what was pushed meanwhile goes through the new one",
    )
    rules = play.setting.devops.client("events").list_rules()["Rules"]
    play.true(
        [rule["ScheduleExpression"] for rule in rules] == [_SCHEDULE],
        "a schedule starts it as well, which came with the same commit",
        str(rules),
    )
    told = play.setting.devops.client("sns").list_subscriptions()["Subscriptions"]
    play.true(
        [subscription["Endpoint"] for subscription in told] == [_TOLD],
        "and the team is told by e-mail, with the rights that UpdatePipeline has",
        str(told),
    )
    runs = play.pipeline.executions[known:]
    play.true(
        runs[-1] is execution and all(e.status == CANCELLED for e in runs[:-1]),
        f"no loop: {len(runs) - 1} executions were cancelled, and the one that started again holds their commits",
        str([(e.id, e.status, e.outputs.get("source", {}).get("CommitMessage")) for e in runs]),
    )


def test_fails(play: Play) -> None:
    execution = play.arrive(play.setting.repository.head)
    failed = status_of(execution, "PreProd", "TestService-preprod") == FAILED
    said = _said(play, execution) if failed else ""
    play.true(
        status_of(execution, "PreProd", "Deploy-preprod") == SUCCEEDED and bool(said),
        f"the test after PreProd has failed, and says why: its service does not answer ({said})",
        play.pipeline.why(execution),
    )
    play.true("Prod-Plan" not in execution.stages and "Prod" not in execution.stages, "Prod was not reached")
    assembly = play.assembly
    play.touched("preprod", assembly)
    front_end.finds(play, "preprod", _endpoint(play, "preprod"), _ITEM)
    _not_there(play, "prod")

    _start_service(play, "preprod")
    play.pipeline.retry(execution, "PreProd")
    # Nobody waits for production: the next commit follows it through the pipeline, stage by stage.
    _commit_export(play, "v3", "A second model, a relation, a field rule")
    with play.watch(play.pipeline):
        execution = play.pipeline.leave(execution)
    play.must_wait(execution)
    deploys = [run for run in execution.history if run.action.name == "Deploy-preprod"]
    play.true(
        all_succeeded(execution, "PreProd") and len(deploys) == 1,
        "the cause is fixed; a retry of the stage runs the failed test only, and the execution goes on",
    )
    play.approve(execution)
    play.touched("prod", assembly)
    _delivered(play, "prod")
    front_end.writes(play, "prod", _endpoint(play, "prod"), _ITEM)


def rejected(play: Play) -> None:
    execution = play.arrive(play.setting.repository.head)
    play.must_wait(execution)
    play.touched("preprod", play.assembly)
    play.pipeline.answer(execution, "Rejected", "not before the holidays")
    with play.watch(play.pipeline):
        execution = play.pipeline.leave(execution)
    play.true(
        execution.status == FAILED and "Prod" not in execution.stages,
        "the approval was rejected: Prod was not entered, and nothing was rolled back",
    )
    play.unchanged("prod")
    front_end.finds(play, "preprod", _endpoint(play, "preprod"), _ITEM)
    seen = play.look("prod")
    play.true(
        not seen.unread
        and bool(seen.timings)
        and seen.plan is not None
        and seen.plan.digest == _planned(execution, "prod"),
        "nothing is left unread in it, and its plan is the very one that was rejected, by its digest",
        str((seen.unread, seen.timings, seen.plan)),
    )


CHAPTERS = (
    Chapter(
        "Empty accounts",
        "A developer brings up a copy of her own with `pulumi up -s dev`: no bootstrap, no pipeline. Meanwhile: state "
        "for the tooling account; the owner of PreProd's account lets the pipeline in. Then the pipeline itself.",
        empty_accounts,
    ),
    Chapter(
        "The first run",
        "Source, Build, UpdatePipeline, PublishAssets, PreProd with a test of its service. Meanwhile the owner of the "
        "account for production lets the pipeline in.",
        first_run,
    ),
    Chapter(
        "A stage added",
        "A commit adds Prod, in another account and region, after an approval, a schedule, an e-mail address and a "
        "tag. Another one, a new export and no change of code, is pushed while the pipeline is about to change itself. "
        "In PreProd somebody has stopped the service.",
        stage_added,
    ),
    Chapter(
        "A failing test, a retry, production",
        "The outage stops the release in PreProd. When it is over a retry lets it go on, and a person into Prod.",
        test_fails,
    ),
    Chapter(
        "Exported again, and rejected",
        "A new export, which has followed the release before it from stage to stage. To Prod somebody says no.",
        rejected,
    ),
    Chapter(
        "An adoption",
        "A backend that `amplify push` has made, with an item in its table, becomes the engine's own in place, and is "
        "delivered. A release that would lose the table is refused, one that nobody likes is rolled back. In the "
        "developer's account, while the pipeline runs, from its first run on.",
        adoption,
        beside="The first run",
    ),
)


def _developers_copy(play: Play) -> dict[str, Any]:
    """The outputs of a backend in the developer's own account."""
    developer = play.setting.developer
    developer.pulumi("stack", "init", "dev")
    developer.pulumi("up", "-s", "dev", "--yes", "--skip-preview")
    return _document(developer.pulumi("stack", "output", "-s", "dev", "--json"))


def tooling_state(play: Play) -> dict[str, Any]:
    """Where the tooling account's state lies, and what encrypts it."""
    names = play.setting.names
    where = ("--account", names.account, "--region", names.region)
    return _document(play.setting.devops.delivery("setup", *where, "--json"))


def _document(output: str) -> dict[str, Any]:
    """The JSON document in a command's output, which has progress lines as well."""
    found: dict[str, Any]
    found, _ = json.JSONDecoder().raw_decode(output, output.index("{"))
    return found


def _without_prod(play: Play) -> None:
    """The pipeline begins with one stage; what stands below it in the file comes later."""
    file = _pipeline_file(play.setting.repository.clone)
    file.write_text(file.read_text(encoding="utf-8").partition(_PROD_STAGE)[0], encoding="utf-8")


def _with_prod(play: Play) -> None:
    """The stage that was left out, after the others; `pulumi stack init` has written the stack's key below them."""
    file = _pipeline_file(play.setting.repository.clone)
    stages, key, rest = file.read_text(encoding="utf-8").partition("secretsprovider:")
    _, prod, more = _pipeline_file(CHECKOUT).read_text(encoding="utf-8").partition(_PROD_STAGE)
    app = play.setting.names.app
    added = {"schedule": _SCHEDULE, "notifications": f"{{emails: [{_TOLD}]}}", "tags": "{team: series}"}
    lines = "".join(f"  {app}:{name}: {value}\n" for name, value in added.items())
    file.write_text(stages + prod + more + lines + key + rest, encoding="utf-8")


def _pipeline_file(project: Path) -> Path:
    return project / f"Pulumi.{PIPELINE}.yaml"


def _planned(execution: Execution, environment: str) -> str:
    """The digest of the plan that an execution has made of an environment."""
    return execution.outputs[f"plan-{environment}"]["PLAN_DIGEST"]


def lets_in(play: Play, environment: str) -> None:
    owner, pipeline = play.setting.owners[environment], play.setting.names.pipeline
    play.fact(f"{owner.account} lets {pipeline} in, through {play.names(environment).action_role}")


def _stop_service(play: Play, environment: str) -> None:
    """An operator's emergency stop: "set the reserved concurrency to zero" (Lambda developer guide, reserved
    concurrency). No template speaks of it, so no deployment repairs it either."""
    play.setting.owners[environment].call(
        "lambda", "put_function_concurrency", FunctionName=_service(play, environment), ReservedConcurrentExecutions=0
    )


def _start_service(play: Play, environment: str) -> None:
    play.setting.owners[environment].call(
        "lambda", "delete_function_concurrency", FunctionName=_service(play, environment)
    )


def _service(play: Play, environment: str) -> str:
    return f"{play.names(environment).prefix}-hello"


def _said(play: Play, execution: Execution) -> str:
    """What the command of the failed test has said itself, as a person reads it in the build's log."""
    run = next(run for run in reversed(execution.history) if run.status == FAILED)
    words = (line.strip() for line in play.pipeline.words(run))  # in the error, where it stands indented
    return next((line for line in words if line.startswith("curl:")), "")


def _commit_export(play: Play, version: str, message: str) -> str:
    play.setting.repository.put_export(next((EXPORTS / version).glob("amplify-export-*")))
    return play.push(message)


def _not_there(play: Play, environment: str) -> None:
    stacks = play.setting.owners[environment].client("cloudformation").list_stacks()["StackSummaries"]
    names = [stack["StackName"] for stack in stacks if stack["StackName"].startswith("amplify-")]
    play.true(not names, f"nothing is in {environment} before somebody approves", str(names))


def _outputs(play: Play, environment: str) -> dict[str, Any]:
    """The outputs of an environment, as `deploy` has left them in the account's state bucket."""
    bucket, owner = play.names(environment).state_bucket, play.setting.owners[environment]
    document = owner.client("s3").get_object(Bucket=bucket, Key=f"outputs/{environment}.json")["Body"].read()
    return {name: output["value"] for name, output in json.loads(document).items()}


def _endpoint(play: Play, environment: str) -> str:
    return str(_outputs(play, environment)["graphqlEndpoint"])


def _delivered(play: Play, environment: str) -> None:
    """The backend and nothing beside it: the example's service is for PreProd's test."""
    outputs = _outputs(play, environment)
    play.true(
        str(outputs.get("graphqlEndpoint", "")).startswith("http") and "helloUrl" not in outputs,
        f"{environment}: its API is at {outputs.get('graphqlEndpoint')}, and nothing is there that only a test needs",
        str(outputs),
    )


def _front_end_built(play: Play, execution: Execution, environment: str) -> None:
    """The step that builds the front end behind the deployment was given the file that configures it."""
    run = next(run for run in reversed(execution.history) if run.action.name == f"FrontEnd-{environment}")
    endpoint, said = _outputs(play, environment)["graphqlEndpoint"], "\n".join(play.pipeline.words(run))
    play.true(
        f'"aws_appsync_graphqlEndpoint": "{endpoint}"' in said,
        f"{environment}: the front end's build has an aws-exports.js that names {endpoint}",
        said,
    )


def _answers(play: Play, environment: str) -> None:
    """The service of an environment answers whoever asks, as its outputs say."""
    url = _outputs(play, environment)["helloUrl"]
    asked = subprocess.run(
        ["curl", "-Ssf", "--max-time", "20", "--noproxy", "*", url], capture_output=True, text=True, check=False
    )
    play.true(f'"environment": "{environment}"' in asked.stdout, f"{environment}: {url} says hello", asked.stderr)
