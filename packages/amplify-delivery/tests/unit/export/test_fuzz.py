"""Whatever an export looks like, it is delivered or refused: nothing but a `DeliveryError` ever comes out.

FUZZ_EXAMPLES=5000 lets it search longer than CI does.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amplify_delivery.export import (
    DeliveryError,
    EnvironmentValues,
    assemble,
    compare,
    exported_values,
    load_assembly,
    read_export,
    render_root,
    write_assembly,
)
from unit.export.mutations import EXPORTS, MANIFEST, linked_export, replace_file

NAMES = ("todo-series/v4", "full", "iam", "triggers", "todo")

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
fuzz = settings(
    max_examples=EXAMPLES or 150,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

_TODO = assemble(read_export(EXPORTS["todo"]))
_DOCUMENTS = {
    name: [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*.json"))] for name, folder in EXPORTS.items()
}
_FILES = {
    name: [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file()]
    for name, folder in EXPORTS.items()
}

_KEYS = st.sampled_from(
    (
        "Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub", "Fn::If", "Fn::Select", "Fn::Split", "Fn::FindInMap", "Fn::Equals",
        "Fn::And", "Fn::Not", "Fn::Base64", "Condition", "DependsOn", "Type", "Properties", "Parameters", "Resources",
        "Outputs", "Conditions", "Default", "AllowedValues", "NoEcho", "DeletionPolicy", "Expires", "Code", "S3Key",
        "RestApiId", "Transform", "env", "TemplateURL", "S3DeploymentRootKey", "templateFile", "",
    )
)  # fmt: skip
_TEXTS = st.one_of(
    _KEYS,
    st.text(max_size=8),
    st.sampled_from(
        (
            "AWS::NoValue", "AWS::StackName", "AWS::CloudFormation::Stack", "AWS::AppSync::ApiKey", "List<String>",
            "AWS::ApiGateway::Deployment", "AWS::ApiGateway::GatewayResponse", "AWS::Lambda::Function", "true",
            "s3://${S3DeploymentBucket}/${S3DeploymentRootKey}/schema.graphql", "${", "${}", "${!x}", "a.b", "²",
            "../x", "amplify-a-b-c", "api/x\\y.json", "Retain", "[]", "1" * 5000,
        )
    ),
)  # fmt: skip
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _TEXTS)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | _TEXTS, inner, max_size=3),
    max_leaves=6,
)


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    places = [path]
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        places += _places(value, (*path, key))
    return places


def _mutate_document(draw: st.DrawFn, folder: Path, file: str) -> None:
    try:
        document = json.loads((folder / file).read_bytes())
    except (OSError, ValueError):
        return
    for _ in range(draw(st.integers(1, 3))):
        places = [place for place in _places(document) if place]
        if not places:
            break
        *parents, last = draw(st.sampled_from(places))
        container = document
        for key in parents:
            container = container[key]
        action = draw(st.sampled_from(("delete", "replace", "insert", "rename", "copy")))
        if action == "delete":
            del container[last]
        elif action == "replace":
            container[last] = draw(_VALUES)
        elif isinstance(container, list):
            container.insert(draw(st.integers(0, len(container))), draw(_VALUES))
        elif action == "insert":
            container[draw(_KEYS | _TEXTS)] = draw(_VALUES)
        elif action == "rename":
            container[draw(_TEXTS)] = container.pop(last)
        else:
            container[draw(_TEXTS)] = container[draw(st.sampled_from(sorted(container)))]
    replace_file(folder / file, json.dumps(document).encode("utf-8", "surrogatepass"))


def _mutate_bytes(draw: st.DrawFn, folder: Path, file: str) -> None:
    data = bytearray((folder / file).read_bytes())
    if draw(st.booleans()):
        data = data[: draw(st.integers(0, len(data)))]
    for _ in range(draw(st.integers(0, 4)) if data else 0):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    replace_file(folder / file, bytes(data))


@st.composite
def mutated_export(draw: st.DrawFn) -> Path:
    """A copy of a real export, with documents, bytes, files or names changed at random places."""
    name = draw(st.sampled_from(NAMES))
    folder = linked_export(name, Path(tempfile.mkdtemp(prefix="fuzz-")) / "export")
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(("document", "document", "document", "manifest", "bytes", "remove", "rename")))
        file = draw(st.sampled_from(_DOCUMENTS[name] if kind == "document" else _FILES[name]))
        if kind == "manifest":
            file = MANIFEST
        if not (folder / file).is_file():
            continue
        if kind in ("document", "manifest"):
            _mutate_document(draw, folder, file)
        elif kind == "bytes":
            _mutate_bytes(draw, folder, file)
        elif kind == "remove":
            (folder / file).unlink()
        else:
            (folder / file).rename(
                (folder / file).with_name(draw(st.sampled_from(("x.json", "template.yaml", "y.zip"))))
            )
    return folder


def _deliver(folder: Path) -> None:
    """All that is done with an export without AWS."""
    export = read_export(folder)
    secrets = frozenset(
        (name, parameter) for name, stack in export.root.nested.items() for parameter in stack.declared
    )  # whichever hold one: what is no secret may be given as one
    assembly = assemble(export, secrets)
    written = folder.parent / "assembly"
    write_assembly(assembly, written)
    loaded = load_assembly(written)
    assert loaded == assembly
    needed = frozenset(
        (name, p) for name, s in loaded.root.nested.items() for p, v in s.parameters.items() if v.source == "secret"
    )
    render_root(
        loaded,
        EnvironmentValues("prod", 1, "12345", from_export=exported_values(export), secrets=needed),
        "staging-bucket",
    )
    same = compare(assembly, loaded)
    assert same == compare(loaded, loaded)
    assert same.resources == ()
    compare(_TODO, assembly)


@fuzz
@given(mutated_export())
def test_a_mutated_export_is_delivered_or_refused(folder: Path) -> None:
    try:
        _deliver(folder)
    except DeliveryError as error:
        assert str(error).strip(), "says nothing"
    finally:
        shutil.rmtree(folder.parent)


@st.composite
def mutated_assembly(draw: st.DrawFn) -> Path:
    """A written assembly, its description changed at random places."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-")) / "assembly"
    write_assembly(_TODO, folder)
    if draw(st.booleans()):
        _mutate_document(draw, folder, "assembly.json")
    else:
        _mutate_bytes(draw, folder, "assembly.json")
    return folder


@fuzz
@given(mutated_assembly())
def test_a_mutated_assembly_is_used_or_refused(folder: Path) -> None:
    try:
        assembly = load_assembly(folder)
        for item in assembly.objects:
            assembly.read(item.key)
        render_root(assembly, EnvironmentValues("prod", 1), "staging-bucket")
    except DeliveryError as error:
        assert str(error).strip(), "says nothing"
    finally:
        shutil.rmtree(folder.parent)
