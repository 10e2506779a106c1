"""What of a backend Gen 2 takes over, by what an export shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from amplify_delivery.delivery.adoption.handover.readiness import readiness
from amplify_delivery.export import read_export
from unit.export.mutations import EXPORTS, apply, set_value

Copy = Callable[[str], Path]


def levels(folder: Path) -> dict[tuple[str, str], str]:
    return {(r.resource.partition("/")[0], r.feature): r.level for r in readiness(read_export(folder))}


def test_what_the_tool_moves_is_supported() -> None:
    found = levels(EXPORTS["full"])
    assert found["auth", "sign-in with Cognito"] == "supported"
    assert found["api", "GraphQL API and its models"] == "supported"
    assert found["function", "function"] == "supported"


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_every_resource_is_told(name: str) -> None:
    export = read_export(EXPORTS[name])
    told = {r.resource for r in readiness(export)}
    assert told == {f"{r.category}/{r.name}" for r in export.resources}
    assert all(r.what for r in readiness(export) if r.level != "supported")


def test_what_only_a_person_can_move(export_copy: Copy) -> None:
    folder = export_copy("full")
    file = "function/helloFn/helloFn-cloudformation-template.json"
    set_value(folder, file, "/Resources/LambdaFunction/Properties/Runtime", "python3.12")
    set_value(folder, file, "/Resources/LambdaFunction/Properties/Layers", ["arn:aws:lambda:eu-west-1:1:layer:x:1"])
    policy = {"Type": "AWS::IAM::Policy", "Properties": {}}
    set_value(folder, file, "/Resources/CustomLambdaExecutionPolicy", policy)
    found = levels(folder)
    assert found["function", "runtime python3.12"] == "by hand"
    assert found["function", "layers"] == "by hand"
    assert found["function", "policies of its own"] == "by hand"


def test_what_gen_2_does_not_have(export_copy: Copy) -> None:
    folder = export_copy("full")
    domain = {"Type": "AWS::OpenSearchService::Domain", "Properties": {}}
    file = next(folder.glob("api/*/cloudformation-template.json")).relative_to(folder).as_posix()
    set_value(folder, file, "/Resources/Domain", domain)
    assert levels(folder)["api", "@searchable"] == "not"


def test_a_service_that_the_tool_does_not_know(export_copy: Copy) -> None:
    folder = export_copy("full")
    entry = {"category": "video", "resourceName": "live", "service": "IVS"}
    apply(folder, [["set", "category-stack-mapping.json", "/-", entry]])
    assert levels(folder)["video", "video: IVS"] == "by hand"
