"""What the actions of a pipeline do: sources, CodeBuild, manual approval, `deployments`.

Each with its own role's credentials.
"""

from __future__ import annotations

import json
import time
from typing import Any, Protocol

from botocore.exceptions import ClientError

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.builds.artifacts import Artifacts, object_key
from aws_rehearsal.pipeline_service.builds.builds import SUCCEEDED, Build, Input, Output, Ticket
from aws_rehearsal.pipeline_service.clients import Access, failure_of
from aws_rehearsal.pipeline_service.definitions import DEFAULT_APPROVAL_MINUTES, Pipeline, Store
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.gate import Caller
from aws_rehearsal.pipeline_service.keys import require_key
from aws_rehearsal.pipeline_service.pipelines import variables
from aws_rehearsal.pipeline_service.pipelines.deployments import Deployments
from aws_rehearsal.pipeline_service.pipelines.handing_on import HandingOn
from aws_rehearsal.pipeline_service.roles import Roles
from aws_rehearsal.pipeline_service.sources.reading import require_source
from aws_rehearsal.pipeline_service.sources.repositories import Repositories
from aws_rehearsal.pipeline_service.sources.sources import Fetched, fetch
from aws_rehearsal.pipeline_service.state import ActionRun, Artifact, Execution, new_id


class BuildDesk(Protocol):
    """What CodePipeline needs of CodeBuild beside its API."""

    def issue(self, ticket: Ticket) -> str:
        """Take a ticket; the answer goes into StartBuild as idempotency token."""
        ...

    def build(self, build_id: str) -> Build | None:
        """The build of an id."""
        ...


class Actions:
    """Carries out actions. Every method raises `ActionError` when the action fails."""

    def __init__(  # noqa: PLR0917 - what actions of all kinds need
        self,
        access: Access,
        roles: Roles,
        repositories: Repositories,
        desk: BuildDesk,
        deployments: Deployments,
        minute: float,
    ) -> None:
        self._gate, self._clients, self._roles = access.gate, access.clients, roles
        self._repositories, self._desk, self._deployments, self._minute = repositories, desk, deployments, minute
        self._artifacts = Artifacts(access)
        self._handing_on = HandingOn(access, self._artifacts)

    def perform(self, execution: Execution, run: ActionRun) -> bool:
        """Do what `run` stands for; its results are written into it. False: it goes on waiting (an approval)."""
        action = run.action
        run.configuration = variables.resolve_all(action.configuration, execution.namespaces())
        if action.category == "Approval":
            self._ask_for_approval(execution, run)
            return False
        credentials = self._roles.of_role(execution.pipeline, action.role, execution.id)
        if action.is_source:
            self._source(execution, run, credentials)
        elif (action.category, action.provider) == ("Invoke", "CodePipeline"):
            self._handing_on.start(run, credentials, execution.pipeline.region_of(action))
        elif action.category == "Invoke":
            self._deployments.invoke(run, credentials, execution.pipeline.region_of(action))
        elif action.category == "Deploy":
            self._deploy(execution, run, credentials)
        else:
            self._build(execution, run, credentials)
        return True

    def _deploy(self, execution: Execution, run: ActionRun, credentials: Credentials) -> None:
        pipeline = execution.pipeline
        region = pipeline.region_of(run.action)
        run.inputs = [self._in_region(execution, execution.artifacts[name], region) for name in run.action.inputs]
        store, place = pipeline.stores[region], run.inputs[0].places[region]
        if run.action.provider == "S3":
            self._handing_on.put(run, credentials, region, self._artifacts.get(credentials, region, store, place))
            return
        self._deployments.deploy(
            run, credentials, region, lambda: self._artifacts.get(credentials, region, store, place)
        )

    def _source(self, execution: Execution, run: ActionRun, credentials: Credentials) -> None:
        pipeline, action = execution.pipeline, run.action
        caller = Caller(credentials.access_key_id, "", credentials.account, pipeline.region)
        require_source(self._gate, caller, action.provider, run.configuration)
        if action.provider == "S3":
            self._artifacts.look(credentials, pipeline.region, Store(run.configuration["S3Bucket"]), versioning=True)
        store = pipeline.stores[pipeline.region]
        for who in (self._roles.of_pipeline(pipeline, execution.id), credentials):
            self._artifacts.look(who, pipeline.region, store, versioning=True)
        fetched = fetch(
            execution, run, self._repositories, lambda service: self._clients.get(service, credentials, pipeline.region)
        )
        if fetched.encrypted:
            named, bucket, key = fetched.encrypted
            require_key(self._gate, credentials, "kms:Decrypt", named, (pipeline.region, bucket, key))
        run.external_id, run.summary, run.external_url = fetched.revision, fetched.summary, fetched.url
        run.variables = fetched.variables
        run.outputs = [self._store(pipeline, credentials, name, fetched) for name in action.outputs]

    def _store(self, pipeline: Pipeline, credentials: Credentials, name: str, fetched: Fetched) -> Artifact:
        region = pipeline.region
        key = object_key(pipeline.name, name)
        store = pipeline.stores[region]
        acl = fetched.connection is not None
        place = self._artifacts.put(credentials, region, store, key, fetched.content, acl=acl)
        return Artifact(name, {region: place}, fetched.revision, fetched.summary, fetched.url, time.time())

    def _build(self, execution: Execution, run: ActionRun, credentials: Credentials) -> None:
        pipeline, action = execution.pipeline, run.action
        region = pipeline.region_of(action)
        run.inputs = [self._in_region(execution, execution.artifacts[name], region) for name in action.inputs]
        store = pipeline.stores[region]
        ticket = Ticket(
            initiator=f"codepipeline/{pipeline.name}",
            inputs=tuple(Input(a.name, region, store, a.places[region], a.revision) for a in run.inputs),
            outputs=tuple(Output(name, region, store, object_key(pipeline.name, name)) for name in action.outputs),
            primary=run.configuration.get("PrimarySource", action.inputs[0]),
            account=credentials.account,
        )
        build = self._start_build(run, credentials, region, ticket)
        build.done.wait()
        found = self._build_result(credentials, region, build.id)
        run.variables = {item["name"]: item["value"] for item in found.get("exportedEnvironmentVariables", ())}
        if found["buildStatus"] != SUCCEEDED:
            raise ActionError("JobFailed", _why(found))
        run.outputs = [
            Artifact(output.name, {region: (output.store.bucket, output.key)}, created=time.time())
            for output in ticket.outputs
        ]

    def _start_build(self, run: ActionRun, credentials: Credentials, region: str, ticket: Ticket) -> Build:
        client = self._clients.get("codebuild", credentials, region)
        asked: dict[str, Any] = {"projectName": run.configuration["ProjectName"]}
        if "EnvironmentVariables" in run.configuration:
            asked["environmentVariablesOverride"] = _environment_variables(run.configuration["EnvironmentVariables"])
        try:
            build_id = client.start_build(**asked, idempotencyToken=self._desk.issue(ticket))["build"]["id"]
        except ClientError as error:
            raise failure_of(error, "Error calling startBuild") from error
        build = self._desk.build(build_id)
        assert build is not None  # noqa: S101 - it was just started
        run.external_id = build_id
        run.external_url = build.log.as_uri()
        return build

    def _build_result(self, credentials: Credentials, region: str, build_id: str) -> dict[str, Any]:
        try:
            answer = self._clients.get("codebuild", credentials, region).batch_get_builds(ids=[build_id])
        except ClientError as error:
            raise failure_of(error, "Error calling batchGetBuilds") from error
        found: dict[str, Any] = answer["builds"][0]
        return found

    def _in_region(self, execution: Execution, artifact: Artifact, region: str) -> Artifact:
        """The artifact with a copy in `region`.

        "CodePipeline handles the copying of artifacts from one AWS Region to the other Regions when performing
        cross-region actions" (Add a cross-Region action in CodePipeline): with the pipeline's role.
        """
        if region not in artifact.places:
            pipeline = execution.pipeline
            credentials = self._roles.of_pipeline(pipeline, execution.id)
            where, place = next(iter(artifact.places.items()))
            for known in (where, region):
                self._artifacts.look(credentials, known, pipeline.stores[known], versioning=True)
            content = self._artifacts.get(credentials, where, pipeline.stores[where], place)
            artifact.places[region] = self._artifacts.put(
                credentials, region, pipeline.stores[region], place[1], content
            )
        return artifact

    def _ask_for_approval(self, execution: Execution, run: ActionRun) -> None:
        minutes = run.action.timeout_minutes or DEFAULT_APPROVAL_MINUTES
        run.deadline = time.monotonic() + minutes * self._minute
        run.token = new_id()
        topic = run.configuration.get("NotificationArn")
        if not topic:
            return
        pipeline = execution.pipeline
        credentials = self._roles.of_role(pipeline, run.action.role, execution.id)
        message = {
            "region": pipeline.region,
            "approval": {
                "pipelineName": pipeline.name,
                "stageName": run.stage,
                "actionName": run.action.name,
                "token": run.token,
                "expires": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(time.time() + minutes * self._minute)),
                "externalEntityLink": run.configuration.get("ExternalEntityLink"),
                "customData": run.configuration.get("CustomData"),
            },
        }
        try:
            self._clients.get("sns", credentials, topic.split(":")[3]).publish(
                TopicArn=topic,
                Subject=f"APPROVAL NEEDED: AWS CodePipeline {pipeline.name} for action {run.action.name}"[:100],
                Message=json.dumps(message),
            )
        except ClientError as error:
            raise failure_of(error, "Sending the approval's notification") from error


def _environment_variables(text: str) -> list[dict[str, Any]]:
    """The `EnvironmentVariables` of a CodeBuild action: a JSON array of name, value and type."""
    try:
        found = json.loads(text)
        return [
            {"name": item["name"], "value": str(item["value"]), "type": item.get("type", "PLAINTEXT")} for item in found
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ActionError(
            "InvalidActionConfiguration", f"EnvironmentVariables is not a JSON array of name and value: {error}"
        ) from error


def _why(build: dict[str, Any]) -> str:
    """A failed build in CodePipeline's words."""
    text = f"Build terminated with state: {build['buildStatus']}"
    for phase in build["phases"]:
        if phase.get("phaseStatus") not in (SUCCEEDED, None) and phase.get("contexts"):
            context = phase["contexts"][0]
            code, message = context.get("statusCode", ""), context.get("message", "")
            return f"{text}. Phase: {phase['phaseType']}, Code: {code}, Message: {message}"
    return text
