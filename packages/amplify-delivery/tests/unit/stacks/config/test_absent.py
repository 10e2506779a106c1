"""What is said of a project, or a file of it, that is not where a command looks for it, or is not YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.absent import no_project
from amplify_delivery.stacks.config.reader import project_name, read_yaml
from unit.rows import hold


def project(folder: Path, *stacks: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: shop\n")
    for stack in stacks:
        (folder / f"Pulumi.{stack}.yaml").write_text("config:\n  shop:region: eu-west-1\n")
    return folder


def refused(file: Path, content: bytes) -> ConfigError:
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_yaml(file)
    return caught.value


def test_a_project_is_looked_for_above_and_below(tmp_path: Path) -> None:
    alone, shop = tmp_path / "alone", project(tmp_path / "repo" / "my shop")
    alone.mkdir()
    (shop / "components").mkdir()
    project(tmp_path / "repo" / ".venv")
    assert no_project(shop / "components").remedy == "`cd ..`: the project is there"
    assert no_project(tmp_path / "repo").remedy == "`cd 'my shop'`: the project is there"
    assert no_project(alone).remedy == "run the command in the project's folder; `amplify-delivery init` makes one"
    project(tmp_path / "repo" / "todo")
    assert no_project(tmp_path / "repo").remedy == "run the command in the folder of one project: my shop, todo"


def test_the_file_of_the_project_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        project_name(tmp_path)
    assert str(caught.value) == str(no_project(tmp_path))


def test_an_environment_of_nearly_that_name(tmp_path: Path) -> None:
    here = Project(project(tmp_path, "prod", "qa"))
    with pytest.raises(ConfigError) as caught:
        here.environment("Prd")
    assert caught.value.message == "there is no environment 'Prd', did you mean 'prod'?"
    assert caught.value.remedy == "name one of prod, qa, or make the file"


NO_YAML = (
    (b"config:\n\tshop:region: eu-west-1\n", "line 2 begins with a tab, and YAML takes none", "indent it with blanks"),
    (b"config:\n  a: b # \xfcml\n", "line 2 is not UTF-8", "save it as UTF-8"),
    (
        b"<<<<<<< HEAD\na: b\n=======\na: c\n>>>>>>> x\n",
        "both sides of the conflict stand in it",
        "one side",
    ),
    (b"config:\n  a: b: c\n", "line 2, column 7: mapping values are not allowed", "git diff HEAD -- Pulumi.prod.yaml"),
    (b"a: b\n---\na: c\n", "line 2, column 1: but found another document", "git diff HEAD"),
    (b"\x00\x01", "it is not text", "`git checkout HEAD -- Pulumi.prod.yaml`"),
)


def test_where_a_stack_file_is_no_yaml(tmp_path: Path) -> None:
    def check(content: bytes, reason: str, remedy: str) -> None:
        error = refused(tmp_path / "Pulumi.prod.yaml", content)
        assert error.message.startswith("cannot be read: ")
        assert reason in error.message
        assert remedy in error.remedy

    hold(check, NO_YAML)


def test_windows_ends_of_lines_and_marks_of_byte_order_are_read(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_bytes(b"\xef\xbb\xbfconfig:\r\n  shop:region: eu-west-1\r\n")
    assert read_yaml(file) == {"config": {"shop:region": "eu-west-1"}}


def test_a_folder_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").mkdir()
    with pytest.raises(ConfigError, match="Is a directory") as caught:
        read_yaml(tmp_path / "Pulumi.prod.yaml")
    assert caught.value.remedy == "it has to be a file that you may read"


def test_a_stack_file_that_was_emptied(tmp_path: Path) -> None:
    """It is not a new one: what the engine had written into it is gone, too."""
    here = Project(project(tmp_path, "prod"))
    for text in ("", "# all of it\n"):
        here.file("prod").write_text(text)
        with pytest.raises(ConfigError, match="there is nothing in it") as caught:
            here.at("prod")
        assert "`git checkout HEAD -- Pulumi.prod.yaml`" in caught.value.remedy
    here.file("prod").write_text("encryptionsalt: v1:x\n")  # `pulumi stack init` has made it
    with pytest.raises(ConfigError, match="account is missing"):
        here.at("prod")
