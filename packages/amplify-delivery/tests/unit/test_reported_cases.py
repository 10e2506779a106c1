"""Inputs after public bug reports, each with its right result.

They are too many for this repository: `AMPLIFY_DELIVERY_CASES` names the folder with their archives. What each of them
is about stands in its own README.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.impossible import impossible
from amplify_delivery.changes.names import names
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.export import (
    Assembly,
    EnvironmentValues,
    ExportRefused,
    Finding,
    assemble,
    check,
    compare,
    read_export,
    render_root,
)
from amplify_delivery.publishing.examination.preflight import Deployment, examine
from unit.archives import unpacked

CASES = "AMPLIFY_DELIVERY_CASES"
"""Environment variable: a folder with `NAME.tar.gz` for each case."""
EXPIRES = 1_900_000_000
TODAY = date(2026, 6, 1)

Case = Callable[[str], Path]


@pytest.fixture(scope="session")
def case() -> Case:
    """The folder of a case, skips where there is no archive."""

    def folder(name: str) -> Path:
        archive = Path(os.environ.get(CASES, "/nonexistent"), f"{name}.tar.gz")
        if not archive.is_file():
            pytest.skip(f"no {name}.tar.gz: set {CASES} to the folder of the cases")
        return unpacked(archive) / name

    return folder


def export_in(folder: Path) -> Path:
    return next(folder.glob("amplify-export-*"))


def findings(folder: Path) -> dict[str, list[Finding]]:
    """What `check` finds, by id; nothing but what reading refuses, where reading does."""
    try:
        found = check(read_export(export_in(folder)))
    except ExportRefused as error:
        found = error.findings
    by_id: dict[str, list[Finding]] = {}
    for finding in found:
        by_id.setdefault(finding.id, []).append(finding)
    return by_id


def refused(found: Mapping[str, list[Finding]]) -> set[str]:
    return {id for id, several in found.items() if several[0].severity == "refused"}


def assembly_in(folder: Path) -> Assembly:
    return assemble(read_export(export_in(folder)))


def found_in(assembly: Assembly, environment: str = "dev", region: str = "us-east-1") -> list[Finding]:
    """What is found out about an assembly in an environment before anything is sent."""
    root = render_root(assembly, EnvironmentValues(environment, EXPIRES), "staging")
    deployment = Deployment([(root.object, root.body)], "staging", region)
    return examine(assembly, {environment: deployment})[environment]


def stacks(assembly: Assembly) -> Stacks:
    root = render_root(assembly, EnvironmentValues("dev", EXPIRES), "staging")
    return Stacks.of(assembly, root, root.parameters)


@pytest.fixture(autouse=True)
def _kept(examined: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(examined))


@pytest.mark.parametrize(
    ("name", "environment", "region"),
    [
        ("searchable-default", "dev", "us-east-1"),
        ("non-ascii", "dev", "us-east-1"),
        ("env-map", "dev", "us-east-1"),
        ("env-map", "prod", "us-east-1"),
        ("param-getatt", "prod", "us-east-1"),
        ("layer-region", "dev", "us-east-1"),
        ("sam-function", "dev", "us-east-1"),
        ("crlf", "dev", "us-east-1"),
        ("v1-api-key", "dev", "us-east-1"),
        ("go-windows", "dev", "us-east-1"),
        ("hosting-bucket", "dev", "us-east-1"),
        ("amplifyhosting-appid", "dev", "us-east-1"),
    ],
)
def test_is_delivered(case: Case, name: str, environment: str, region: str) -> None:
    assert found_in(assembly_in(case(name)), environment, region) == []


@pytest.mark.parametrize(
    ("name", "id", "says", "helps"),
    [
        ("cdk-asset-small", "AD430", "prune", "fromInline"),
        ("cdk-v1-asset", "AD430", "prune", "fromInline"),
        ("template-1mb", "AD504", "CloudFormation takes 1,000,000", "split"),
        ("lfs-pointer", "AD104", "Git LFS pointer", "git lfs pull"),
        ("ds-store", "AD402", ".DS_Store", "delete"),
    ],
)
def test_is_refused_for_every_environment(case: Case, name: str, id: str, says: str, helps: str) -> None:
    found = findings(case(name))
    assert refused(found) == {id}
    assert says in str(found[id][0])
    assert helps in found[id][0].remedy
    assert "export again" not in found[id][0].remedy or name == "ds-store"


REFUSED_HERE = {
    ("env-map", "preprod", "us-east-1"): ("AD730", "envMap has no preprod"),
    ("param-getatt", "dev", "us-east-1"): ("AD703", "QueueArn"),
    ("layer-region", "dev", "eu-central-1"): ("AD731", "us-east-1"),
}


@pytest.mark.parametrize("here", REFUSED_HERE, ids="-".join)
def test_is_refused_where_it_cannot_be(case: Case, here: tuple[str, str, str]) -> None:
    name, environment, region = here
    id, says = REFUSED_HERE[here]
    (finding,) = found_in(assembly_in(case(name)), environment, region)
    assert (finding.id, finding.severity) == (id, "refused")
    assert says in finding.message
    assert finding.remedy


@pytest.mark.parametrize(
    ("name", "id", "says"),
    [
        ("amplifyhosting-appid", "AD307", "d2x7example1qz"),
        ("go-windows", "AD431", "bootstrap"),
        ("sam-function", "AD210", "AWS::Serverless-2016-10-31"),
    ],
)
def test_is_warned_of(case: Case, name: str, id: str, says: str) -> None:
    found = findings(case(name))
    assert not refused(found)
    assert says in found[id][0].message


IMPOSSIBLE = {
    "update-two-gsis": ("AD741", "apiseriesapp/Todo/TodoTable", "byDue"),
    "update-primary-key": ("AD743", "apiseriesapp/Todo/TodoTable", "name of its own"),
    "update-pool-attribute": ("AD742", "authseriesappauth/UserPool", "family_name"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_is_known_to_be_impossible(case: Case, name: str) -> None:
    id, place, says = IMPOSSIBLE[name]
    folder = case(name)
    before, after = stacks(assembly_in(folder / "before")), stacks(assembly_in(folder / "after"))
    (found,) = impossible(plan_backend(before, after), before, after, TODAY)
    assert (found.id, found.place) == (id, place)
    assert says in found.message
    assert found.remedy
    assert impossible(plan_backend(None, after), None, after, TODAY) == ()


def test_line_ends_of_windows_touch_nothing(case: Case) -> None:
    with_crlf, without = assembly_in(case("crlf")), assembly_in(case("go-windows").parent / "go-windows")
    touched = compare(with_crlf, without)
    assert {r.path[0] for r in touched.resources} <= {"functionseriesFn"}
    assert with_crlf.root.nested["apiseriesapp"] == without.root.nested["apiseriesapp"]


def test_an_old_api_key_gets_the_environments_expiry(case: Case) -> None:
    body = stacks(assembly_in(case("v1-api-key")))
    (key,) = [r for r in body.resolved.resources.values() if r.type == "AWS::AppSync::ApiKey"]
    assert key.properties["Expires"] == str(EXPIRES)


def test_a_hosting_bucket_is_among_the_names_that_have_to_be_free(case: Case) -> None:
    found = names(stacks(assembly_in(case("hosting-bucket"))), {})
    assert any(n.type == "AWS::S3::Bucket" and n.place.startswith("hosting") and n.name.endswith("-dev") for n in found)
