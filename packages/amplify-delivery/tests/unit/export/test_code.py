"""What a function's code says of the environment that was exported: where it is looked for, and how far."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from amplify_delivery.export import Assembly, assemble, read_export
from amplify_delivery.export.code import Texts, literals
from amplify_delivery.export.templates.exported import Exported
from amplify_delivery.export.values.bindings import told
from unit.export.mutations import apply
from unit.export.values.test_bindings import render

Copy = Callable[[str], Path]

ZIP = "function/helloFn/amplify-builds/helloFn-70532f7a723233524266-build.zip"
EXPORTED = Exported("amplify-fullapp-dev-a8d04")


def found(entry: str, text: str) -> list[tuple[str, str]]:
    return [(item.place, item.literal.text) for item in literals(EXPORTED, {entry: text.encode()})]


@pytest.mark.parametrize(
    "text",
    [
        "client-device",
        "'some-device'",
        "this is a-dev build",
        "https://dynamodb.eu-west-1.amazonaws.com",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "'-dev'",
    ],
)
def test_what_says_nothing(text: str) -> None:
    assert found("index.js", text) == []


def test_each_is_told_once_where_it_stands_first() -> None:
    text = "const a = 1\nconst b = `orders-dev`\nconst c = `orders-dev`\nconst d = 'amplify-fullapp-dev-a8d04-x'\n"
    assert found("lib/a.js", text) == [("lib/a.js:4", "amplify-fullapp-dev-a8d04"), ("lib/a.js:2", "orders-dev")]
    assert found("lib/a.js", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders-dev'") == [
        ("lib/a.js:1", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders-dev")
    ]


def test_what_is_looked_into() -> None:
    texts = Texts(ZIP)
    assert texts.wants("index.js", 1 << 20)
    assert texts.wants("src/Config.JSON", 10)
    for entry in ("node_modules/a/index.js", "lib/site-packages/a.py", "package.json", "image.png", "bootstrap"):
        assert not texts.wants(entry, 10)
    assert not texts.wants("bundle.js", (1 << 20) + 1)
    assert [texts.wants(f"{n}.js", 1 << 20) for n in range(4)] == [True, True, False, False]
    assert not Texts("amplify-auxiliary-files/awaiter.zip").wants("index.js", 10)


@pytest.fixture
def assembly(export_copy: Copy) -> Assembly:
    folder = export_copy("full")
    apply(folder, [["zip", ZIP, {"index.js": "const table = 'orders-dev'"}]])
    return assemble(read_export(folder))


def test_no_environment_is_refused_for_it(assembly: Assembly) -> None:
    assert [bound.literal for bound in assembly.bound] == ["orders-dev"]
    for name in ("dev", "prod"):
        assert render(assembly, name) == ()


def test_an_environment_that_takes_the_literal_is_not_told(assembly: Assembly) -> None:
    assert "AD214" in {finding.id for finding in told(assembly, ())}
    assert told(assembly, {"orders-dev"}) == tuple(f for f in assembly.findings if f.id != "AD214")
