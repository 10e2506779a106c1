"""What is known of categories that no real export in `tests/exports` has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from amplify_delivery.export import Assembly, assemble, read_export
from unit.export.categories import ENDPOINT, with_interactions, with_predictions
from unit.export.mutations import copy_export


def assembled(tmp_path: Path, category: Callable[[Path], Path]) -> Assembly:
    return assemble(read_export(category(copy_export("iam", tmp_path / "export"))))


@pytest.mark.parametrize(
    ("category", "id_", "literal"),
    [
        (with_predictions, "AD213", ENDPOINT),
        (with_interactions, "AD214", "arn:aws:lambda:us-east-1:111111111111:function:orders-dev"),
    ],
)
def test_what_another_environment_would_take_from_the_exported_one_is_told(
    tmp_path: Path, category: Callable[[Path], Path], id_: str, literal: str
) -> None:
    """A model's endpoint, and the function that a bot's intent calls: the CLI writes both down."""
    told = [f.message for f in assembled(tmp_path, category).findings if f.id == id_]
    assert len(told) == 1
    assert literal in told[0]


def test_a_bots_function_gets_its_zip(tmp_path: Path) -> None:
    assembly = assembled(tmp_path, with_interactions)
    given = assembly.root.nested["interactionslex7c1d"].parameters
    assert given["deploymentBucketName"].source == "staging-bucket"
    assert given["s3Key"].text in {item.key for item in assembly.objects if item.key.endswith(".zip")}
