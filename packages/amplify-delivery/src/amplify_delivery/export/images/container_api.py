"""Amplify's container API (`amplify add api`, REST, Fargate) with images that are built once.

What `amplify export` gives of one (amplify-category-api, base-api-stack.ts and pipeline-with-awaiter.ts): a template
with an ECR repository for each container that is built, an ECS service of no task, a pipeline of its own with a
privileged CodeBuild project, a function that gives the service its tasks, and a custom resource that waits for that
pipeline; and the sources, one zip with a buildspec. So each environment builds again, and what was tested in one never
runs in the next; what runs is whatever `latest` meant when a task was started.

Here the template is taken without that pipeline: the containers' images are parameters, the service gets its tasks from
CloudFormation, and the task's role pulls from the environment's own repository. The previous ECR repositories stay in
their accounts, as their `DeletionPolicy` says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from amplify_delivery.errors import ConfigError
from amplify_delivery.export.archives import ArchiveError, read_entries
from amplify_delivery.export.assets import AWAITER_PARAMETER, BUCKET_PARAMETER, CONTAINER_KEY_PARAMETER, Assets
from amplify_delivery.export.documents import parsed, several
from amplify_delivery.export.images.model import GivenImage, Images, repository_of
from amplify_delivery.export.model import Export, ExportedStack
from amplify_delivery.export.names import StackName

MAX_SOURCES = 1 << 30
"""Bytes that a container API's sources may hold unzipped."""

_OF_THE_PIPELINE = (
    "ApiPipeline",
    "EcsDeployActionRole",
    "PreDeployLambda",
    "PreBuildLambda",
    "Awaiter",
    "DeploymentAwaiter",
)
"""What the logical ids of the pipeline's parts begin with: ids of Amplify's own constructs."""
_PREDEPLOY = "PreDeployLambda"
_BUILD = re.compile(r"docker build -t \$(?P<name>[A-Za-z0-9_-]+)_REPOSITORY_URI:latest (?P<folder>\S+)")
_PULL = "ecr:BatchGetImage"
_LOGIN = "ecr:GetAuthorizationToken"


@dataclass(frozen=True)
class Source:
    """Where a container is built from: a zip of the export, and the folder in it that holds the Dockerfile."""

    archive: str
    folder: str


def source_of(export: Export, stack: str, container: str) -> Source:
    """The sources of a container API's container. Raises `ConfigError`."""
    found = sources(export, stack)
    if container not in found:
        raise ConfigError(
            f"the container API {stack} builds no container {container!r}",
            where="containerImages",
            remedy=f"it builds {', '.join(sorted(found)) or 'none'}",
        )
    return found[container]


def sources(export: Export, stack: str) -> dict[str, Source]:
    """What a container API builds, by container, as Amplify's own buildspec says. Raises `ConfigError`."""
    nested = export.root.nested.get(stack)
    archive = Assets(export).archive(nested) if nested and _pipelines(nested) else None
    if archive is None:
        raise ConfigError(
            f"{stack} is not a container API with sources of its own",
            where="containerImages",
            remedy=f"there are {', '.join(container_apis(export)) or 'none'}; one that is built from GitHub, or that "
            "takes images from elsewhere, has none",
        )
    try:
        _, contents = read_entries(export.read(archive), MAX_SOURCES, lambda name, _: name == "buildspec.yml")
    except ArchiveError as error:
        raise ConfigError(str(error), where=archive, remedy="run `amplify export` again") from None
    text = contents.get("buildspec.yml", b"").decode(errors="replace")
    return {found["name"]: Source(archive, found["folder"]) for found in _BUILD.finditer(text)}


def container_apis(export: Export) -> list[str]:
    """The nested stacks that are container APIs with a pipeline of their own."""
    return sorted(name for name, stack in export.root.nested.items() if _pipelines(stack))


def without_pipelines(export: Export, images: Images) -> tuple[Export, Images]:
    """The export with those container APIs that `images` names run by digest; and the images with the parameters that
    they get by that. Raises `ConfigError`."""
    wanted: dict[str, dict[str, GivenImage]] = {}
    for given in images.given:
        if given.container:
            stack, container = given.container
            if container in wanted.setdefault(stack, {}):
                raise ConfigError(
                    f"two images are meant for {container} of {stack}",
                    where="containerImages",
                    remedy="take one of them out of containerImages",
                )
            wanted[stack][container] = given
    if not wanted:
        return export, images
    nested = dict(export.root.nested)
    name = StackName.parse(export.stack_name)
    project = name.project if name else ""
    for stack, containers in wanted.items():
        _check_all(export, stack, containers)
        template = _transformed(nested[stack], containers, project)
        parameters = {k: v for k, v in nested[stack].parameters.items() if k in template["Parameters"]}
        nested[stack] = replace(nested[stack], template=template, parameters=parameters)
    root = _root(export.root, nested, wanted)
    given_images = tuple(
        replace(g, parameters=(*g.parameters, (g.container[0], parameter_of(g.container[1])))) if g.container else g
        for g in images.given
    )
    return replace(export, root=root), replace(images, given=given_images)


def parameter_of(container: str) -> str:
    """The parameter with a container's image."""
    return f"{re.sub(r'[^A-Za-z0-9]', '', container)}Image"


def _pipelines(stack: ExportedStack) -> list[str]:
    return [
        name
        for name, item in stack.resources.items()
        if item["Type"] == "AWS::CodePipeline::Pipeline" and name.startswith(_OF_THE_PIPELINE)
    ]


def _check_all(export: Export, stack: str, given: Collection[str]) -> None:
    """Every container that is built has to have its image: the pipeline that builds the others goes."""
    built = sources(export, stack)
    for container in given:
        source_of(export, stack, container)
    missing = sorted(built.keys() - set(given))
    if missing:
        raise ConfigError(
            f"{stack} builds {', '.join(sorted(built))}, but no image is named for {', '.join(missing)}",
            where="containerImages",
            remedy=f"name one with `container: {stack}.{missing[0]}` as well: their pipeline goes as a whole",
        )


def _root(root: ExportedStack, nested: Mapping[str, ExportedStack], wanted: Collection[str]) -> ExportedStack:
    """The root with the changed stacks; what it passes to parameters that they have no more, it passes no more."""
    resources = dict(root.resources)
    for stack in wanted:
        item = resources.get(stack, {})
        properties = item.get("Properties") or {}
        if "Parameters" in properties:
            kept = {k: v for k, v in properties["Parameters"].items() if k in nested[stack].declared}
            resources[stack] = {**item, "Properties": {**properties, "Parameters": kept}}
    return replace(root, nested=nested, template={**root.template, "Resources": resources})


def _transformed(stack: ExportedStack, containers: Collection[str], project: str) -> dict[str, Any]:
    template = dict(stack.template)
    gone = {name for name in stack.resources if name.startswith(_OF_THE_PIPELINE)}
    tasks = _tasks(stack.resources)
    repositories = {name for name, item in stack.resources.items() if item["Type"] == "AWS::ECR::Repository"}
    resources = {
        name: _without_dependencies(item, gone | repositories)
        for name, item in stack.resources.items()
        if name not in gone | repositories
    }
    repository = _repository_arn(project)
    pulls = [name for name, item in resources.items() if _pulls(item)]
    for name, item in resources.items():
        if item["Type"] == "AWS::ECS::TaskDefinition":
            resources[name] = _with(item, ContainerDefinitions=list(_definitions(item, containers)))
        elif item["Type"] == "AWS::ECS::Service":
            resources[name] = _running(item, tasks, pulls)
        elif name in pulls:
            resources[name] = _pulling(item, repository)
    outputs = {k: v for k, v in (template.get("Outputs") or {}).items() if k != "PipelineName"}
    unused = {CONTAINER_KEY_PARAMETER, AWAITER_PARAMETER}
    parameters = {k: v for k, v in stack.declared.items() if k not in unused}
    parameters |= {parameter_of(c): {"Type": "String", "Description": f"Image of {c}, by digest"} for c in containers}
    if not _mentions(resources, BUCKET_PARAMETER) and not _mentions(outputs, BUCKET_PARAMETER):
        parameters.pop(BUCKET_PARAMETER, None)
    template |= {"Parameters": parameters, "Resources": resources, "Outputs": outputs}
    left = sorted(n for n in gone | repositories if _mentions([resources, outputs], n))
    if left:
        raise ConfigError(
            f"{left[0]} belongs to the pipeline of the container API, and something else refers to it",
            where=stack.file,
            remedy="take the image out of containerImages: this API is delivered with its own pipeline then",
        )
    if "Mappings" in template and not _mentions(resources, "LatestNodeRuntimeMap"):
        kept = {k: v for k, v in template["Mappings"].items() if k != "LatestNodeRuntimeMap"}
        template = {k: v for k, v in template.items() if k != "Mappings"} | ({"Mappings": kept} if kept else {})
    return template


def _tasks(resources: Mapping[str, Mapping[str, Any]]) -> int:
    """How many tasks the service gets by the pipeline, when all is there."""
    for name, item in resources.items():
        if name.startswith(_PREDEPLOY) and item["Type"] == "AWS::Lambda::Function":
            variables = ((item.get("Properties") or {}).get("Environment") or {}).get("Variables") or {}
            if str(variables.get("DESIRED_COUNT", "")).isdecimal():
                return int(variables["DESIRED_COUNT"])
    return 1


def _definitions(task: Mapping[str, Any], containers: Collection[str]) -> Iterator[Any]:
    for definition in task["Properties"]["ContainerDefinitions"]:
        own = definition.get("Name") in containers
        yield {**definition, "Image": {"Ref": parameter_of(definition["Name"])}} if own else definition


def _running(service: Mapping[str, Any], tasks: int, after: Collection[str]) -> dict[str, Any]:
    """The service with its tasks. They pull as soon as they start, so what lets them comes first; and tasks that never
    get well end the deployment in minutes, not after CloudFormation's three hours ("Amazon ECS deployment circuit
    breaker")."""
    properties = {"DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": True, "Rollback": True}}}
    found = {*several(service.get("DependsOn")), *after}
    changed = _with(service, **{**properties, **service["Properties"], "DesiredCount": tasks})
    return {**changed, "DependsOn": sorted(found)} if found else changed


def _pulls(item: Mapping[str, Any]) -> bool:
    if item["Type"] != "AWS::IAM::Policy":
        return False
    return any(_PULL in _actions(s) for s in _statements(item))


def _statements(policy: Mapping[str, Any]) -> list[Any]:
    document = parsed((policy.get("Properties") or {}).get("PolicyDocument"))
    return several(document.get("Statement")) if isinstance(document, Mapping) else []


def _pulling(policy: Mapping[str, Any], repository: Any) -> dict[str, Any]:
    document = parsed(policy["Properties"]["PolicyDocument"])
    statements = [
        {**s, "Resource": repository} if _PULL in _actions(s) and _LOGIN not in _actions(s) else s
        for s in _statements(policy)
    ]
    # One statement for each former repository: now they are the same.
    once = [s for n, s in enumerate(statements) if s not in statements[:n]]
    return _with(policy, PolicyDocument={**document, "Statement": once})


def _actions(statement: Any) -> list[Any]:
    return several(statement.get("Action")) if isinstance(statement, Mapping) else []


def _repository_arn(project: str) -> dict[str, str]:
    environment = "${env}"
    arn = "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/"
    return {"Fn::Sub": f"{arn}{repository_of(project, '')}{environment}"}


def _without_dependencies(item: Mapping[str, Any], gone: Collection[str]) -> Mapping[str, Any]:
    depends = item.get("DependsOn")
    if depends is None:
        return item
    kept = [d for d in ([depends] if isinstance(depends, str) else depends) if d not in gone]
    rest = {k: v for k, v in item.items() if k != "DependsOn"}
    return {**rest, "DependsOn": kept} if kept else rest


def _with(item: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    return {**item, "Properties": {**item["Properties"], **properties}}


def _mentions(value: Any, name: str) -> bool:
    """Whether an expression names a resource, a parameter or a mapping: by itself, or within `Fn::Sub`."""
    text = json.dumps(value)
    return re.search(rf'(?:"|\$\{{){re.escape(name)}(?:"|\}}|\.)', text) is not None
