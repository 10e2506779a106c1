"""The comparison with CDK Pipelines is complete, and whatever it names is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from amplify_delivery.cli import COMMANDS
from amplify_delivery.export import assemble, read_export
from amplify_delivery.stacks.config import AccountConfig, EnvironmentConfig, PipelineConfig
from benchmarks import projects
from benchmarks.__main__ import BENCHMARKS
from benchmarks.exports import small, with_functions
from benchmarks.pipelines import Declared
from unit.docs.cdk_options import kept
from unit.places import REPOSITORY
from unit.rows import each

PAGES = ("compared.md", "bootstrap.md", "from-cdk.md")
KINDS: dict[str, type[BaseModel]] = {
    "pipeline": PipelineConfig,
    "account": AccountConfig,
    "environment": EnvironmentConfig,
}


@cache
def page(name: str) -> str:
    return (REPOSITORY / "docs" / name).read_text()


def code(name: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", page(name))


def rows(name: str, heading: str) -> list[str]:
    """The lines of the tables below a heading, without their heads."""
    part = page(name).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line for line in part.splitlines() if line.startswith("|") and not line.startswith(("|---", "| CDK |"))]


def named(pattern: str) -> list[tuple[str, ...]]:
    """Every code span of the pages that has a form."""
    found = {match.groups() for name in PAGES for text in code(name) if (match := re.fullmatch(pattern, text))}
    return sorted(found)


def test_whatever_the_cdk_has_and_this_has_not_has_a_reason() -> None:
    pages = page("compared.md") + page("from-cdk.md").partition("\n## Methods")[0]
    answers = re.findall(r"^\| [^|]+ \| (\*\*(?:no|less)\*\*.*?) \|", pages, re.MULTILINE)
    assert len(answers) > 25
    assert [answer for answer in answers if not re.search(r"\bbecause (?:\S+ ){5}", answer)] == []


# --- what is named exists --------------------------------------------------------------------------------------------


@cache
def functions(path: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))


@each(named(r"([\w/]+\.py)::(\w+)"))
def test_a_test_that_is_named(file: str, test: str) -> None:
    assert test.startswith("test_")
    [found] = REPOSITORY.glob(f"packages/*/tests/*/{file}")
    assert test in functions(found)


def test_enough_is_shown_by_tests() -> None:
    assert len(named(r"([\w/]+\.py)::(\w+)")) > 100


def nested(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a value of a key may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None or isinstance(annotation, UnionType):
        for argument in get_args(annotation):
            yield from nested(argument)


def has_key(models: list[type[BaseModel]], path: list[str]) -> bool:
    """Whether one of the models has the first key of the path, and what that holds the rest."""
    for model in models:
        for name, field in model.model_fields.items():
            if (field.alias or name) == path[0]:
                return len(path) == 1 or has_key(list(nested(field.annotation)), path[1:])
    return False


@each(named(r"(pipeline|account|environment):([\w.]+)"))
def test_a_config_key_that_is_named(kind: str, key: str) -> None:
    assert has_key([KINDS[kind]], key.split("."))


def test_a_key_that_is_not_there_would_be_noticed() -> None:
    assert not has_key([PipelineConfig], ["stages", "posts"])
    assert not has_key([PipelineConfig], ["stages", "post", "timeouts"])
    assert not has_key([PipelineConfig], ["triggers", "name"])


@each(named(r"amplify-delivery (\S+).*"))
def test_a_command_that_is_named(command: str) -> None:
    assert command in COMMANDS


@each(named(r"make bench ARGS=(\w+)"))
def test_a_benchmark_that_is_named(name: str) -> None:
    assert name in BENCHMARKS


@each(named(r"((?:components|delivery|stacks|docs|rehearsal)/[\w/]+\.\w+)"))
def test_a_file_that_is_named(file: str) -> None:
    assert (REPOSITORY / file).is_file()


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_heading_that_is_there(name: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page(name)):
        file, _, anchor = target.partition("#")
        linked = REPOSITORY / "docs" / file
        assert linked.is_file(), target
        headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
        assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


# --- and nothing of the CDK's is left out ----------------------------------------------------------------------------

PROPERTIES = """
synth pipelineName pipelineType executionMode crossAccountKeys enableKeyRotation artifactBucket
crossRegionReplicationBuckets reuseCrossRegionSupportStacks role usePipelineRoleForActions selfMutation cliVersion
cdkAssetsCliVersion publishAssetsInParallel useChangeSets dockerEnabledForSynth dockerEnabledForSelfMutation
dockerCredentials codeBuildDefaults synthCodeBuildDefaults assetPublishingCodeBuildDefaults
selfMutationCodeBuildDefaults codePipeline triggers variables beforeEntry onSuccess onFailure
"""
"""Of `pipelines.CodePipeline` in aws-cdk-lib 2.276.0, and of the pipeline below it what it does not expose."""
SOURCES = "connection codeBuildCloneOutput triggerOnPush gitHub codeCommit s3 ecr CodePipelineFileSet sourceAttribute"
STEPS = """
ShellStep commands installCommands env envFromCfnOutputs input additionalInputs primaryOutputDirectory
addOutputDirectory addStepDependency CodeBuildStep rolePolicyStatements role timeout buildEnvironment vpc cache
fileSystemLocations logging exportedVariable project grantPrincipal ManualApprovalStep comment reviewUrl
notificationTopic ConfirmPermissionsBroadening ICodePipelineActionFactory
"""
RESOURCES = """
StagingBucket StagingBucketPolicy FileAssetsBucketEncryptionKey ContainerAssetsRepository FilePublishingRole
ImagePublishingRole LookupRole DeploymentActionRole CloudFormationExecutionRole CdkBoostrapPermissionsBoundaryPolicy
CdkBootstrapVersion
"""
"""Of the bootstrap template v33; the fourteen are these, the roles' policies and the key's alias."""
EXPORTED_BACKEND = """
rootStack cfnInclude authNestedStack userPool identityPool hostedUiProviderCredentials graphqlNestedStacks graphQLAPI
appSyncAPIKey graphQLSchema modelNestedStack lambdaFunctionNestedStackByName lambdaFunctionNestedStacks
apiRestNestedStack restAPI apiDeployment nestedStacksByCategory nestedStackByCategortService
"""
"""Of `AmplifyExportedBackend` 0.0.6, as it spells them."""
FLAGS = " ".join([*kept()["bootstrap"], "--no-execute", "--role-arn"])
"""Of `cdk bootstrap` alone, and of all commands what counts there."""
PARAMETERS = """
TrustedAccounts TrustedAccountsForLookup FileAssetsBucketName FileAssetsBucketKmsKeyId ContainerAssetsRepositoryName
Qualifier PublicAccessBlockConfiguration InputPermissionsBoundary UseExamplePermissionsBoundary BootstrapVariant
DenyExternalId
"""
DEPLOYING = "Builds, stages and registries, option by option"
CALLS = "addStage addWave dockerHub customRegistry ecr"


def options(*words: str) -> str:
    """The properties of all interfaces with one of the words in their names."""
    properties = kept()["properties"]
    found = [name for name in properties if any(word in name for word in words)]
    assert all(any(word in name for name in found) for word in words)
    return " ".join(key for name in found for key in properties[name])


def test_the_pages_name_the_versions_of_which_the_options_are_kept() -> None:
    for name, version in {"aws-cdk-lib": kept()["aws-cdk-lib"], "aws-cdk": kept()["aws-cdk"]}.items():
        assert f"`{name}` {version}" in page("compared.md")
    assert f"`aws-cdk-lib` {kept()['aws-cdk-lib']}" in page("from-cdk.md")


@pytest.mark.parametrize(
    ("name", "heading", "words"),
    [
        ("compared.md", "The construct's properties", PROPERTIES),
        ("compared.md", "The construct's properties", options("CodePipelineProps")),
        ("from-cdk.md", "Properties", f"path amplifyEnvironment {options('StackProps')}"),
        ("from-cdk.md", "Methods", EXPORTED_BACKEND),
        ("compared.md", "Sources", f"{SOURCES} {options('Source')}"),
        ("compared.md", "Steps", f"{STEPS} {options('ShellStep', 'ManualApproval')}"),
        ("compared.md", DEPLOYING, f"{options('CodeBuild', 'Stage', 'Wave', 'StackSteps', 'Docker')} {CALLS}"),
        ("bootstrap.md", "Resources", RESOURCES),
        ("bootstrap.md", "Parameters and flags", FLAGS + PARAMETERS),
    ],
)
def test_everything_of_the_cdk_is_answered(name: str, heading: str, words: str) -> None:
    asked = " ".join(row.split("|")[1] for row in rows(name, heading))
    missing = [word for word in words.split() if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", asked)]
    assert not missing


def test_the_22_complaints_are_answered_in_their_order() -> None:
    numbers = [row.split("|")[1].strip() for row in rows("compared.md", "What hurts users of CDK Pipelines")]
    assert [n for n in numbers if n] == [str(n) for n in range(1, 23)]


@pytest.mark.parametrize("name", PAGES)
def test_whoever_says_yes_shows_it(name: str) -> None:
    """Only a "no", and what is left out, stands without a test."""
    for row in page(name).splitlines():
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        if re.match(r"\*\*(the same|more|other)\*\*", cells[1] if len(cells) > 2 else "") and "by hand" not in cells[1]:
            assert "::" in cells[2] or "make bench" in cells[2], row


# --- what the page says of numbers -----------------------------------------------------------------------------------


def test_functions_change_nothing_of_a_pipeline(tmp_path: Path) -> None:
    found, objects = [], []
    for number in (1, 12):
        assembly = assemble(read_export(with_functions(number, tmp_path / f"functions-{number}")))
        objects.append(len(assembly.objects))
        found.append(Declared.of(projects.make(tmp_path / f"project-{number}", assembly.project, 3), assembly))
    assert objects[1] - objects[0] == 2 * 11, "a template and a zip of each further function"
    one, twelve = found
    assert one.pipeline == twelve.pipeline
    assert one.tooling == twelve.tooling
    assert one.accounts == twelve.accounts


def test_ninety_environments_fit_into_a_pipeline(tmp_path: Path) -> None:
    assembly = assemble(read_export(small("full")))
    declared = Declared.of(projects.make(tmp_path, assembly.project, 90), assembly)
    declared.check()
    assert len(declared.accounts) == 90
    assert len(declared.tooling.projects) == 2
    assert {len(account.projects) for account in declared.accounts} == {4}
