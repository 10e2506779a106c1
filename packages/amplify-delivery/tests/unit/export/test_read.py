"""Reading an export: what is no export, and what only the file system can do wrong.

What documents can have wrong stands in `checks/cases/AD1*.json`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from amplify_delivery.export import ExportRefused, assemble, read_export
from amplify_delivery.export import read as reading
from unit.export.mutations import EXPORTS, MANIFEST, delete_value, set_value

Copy = Callable[[str], Path]


def refused(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(ExportRefused) as error:
        read_export(path)
    return [(f.id, f.message) for f in error.value.findings]


def test_a_missing_folder(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere") == [("AD101", "there is no such folder")]


def test_a_file_is_no_export(tmp_path: Path) -> None:
    (tmp_path / "export.zip").write_bytes(b"")
    assert refused(tmp_path / "export.zip") == [("AD101", "is a file")]


def test_a_folder_that_is_no_export(tmp_path: Path) -> None:
    found = refused(tmp_path)
    assert [id for id, _ in found] == ["AD102"] * 4


def test_everything_wrong_is_told_at_once(export_copy: Copy) -> None:
    folder = export_copy("full")
    (folder / "export-tags.json").unlink()
    (folder / "export-tags.json").write_text("{}")
    (folder / "function/helloFn/helloFn-cloudformation-template.json").unlink()
    delete_value(folder, "api/fullapp/cloudformation-template.json", "/Resources/GraphQLAPI/Type")
    assert {id for id, _ in refused(folder)} == {"AD105", "AD107"}
    with pytest.raises(ExportRefused) as error:
        read_export(folder)
    assert len(error.value.findings) == 3
    assert all(finding.remedy for finding in error.value.findings)


def test_a_pipe_inside_of_an_export_is_refused(export_copy: Copy) -> None:
    folder = export_copy("todo")
    os.mkfifo(folder / "api" / "pipe")
    assert refused(folder) == [("AD104", "is neither a file nor a folder")]


@pytest.mark.parametrize("name", ["code.zip", "resolver.vtl", "template.json"])
def test_a_git_lfs_pointer(export_copy: Copy, name: str) -> None:
    folder = export_copy("todo")
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
    (folder / "api" / name).write_text(text)
    assert refused(folder) == [("AD104", "is a Git LFS pointer, not the file itself")]


def test_a_name_that_is_not_utf8(export_copy: Copy) -> None:
    folder = export_copy("todo")
    (Path(os.fsdecode(os.fsencode(folder) + b"/api/\xff.json"))).write_bytes(b"")
    assert refused(folder) == [("AD104", "has a name that is not UTF-8")]


def test_a_link_to_the_folder_itself_is_an_export(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(EXPORTS["todo"], target_is_directory=True)
    assert read_export(tmp_path / "link").stack_name == "amplify-mytodoapp-dev-5af8b"


def test_limits_of_size_and_number(export_copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export_copy("todo")
    monkeypatch.setattr(reading, "MAX_FILE", 1000)
    assert {id for id, _ in refused(folder)} == {"AD106"}
    monkeypatch.undo()
    monkeypatch.setattr(reading, "MAX_FILES", 10)
    assert ("AD106", "more than 10 files") in refused(folder)


def test_a_file_that_cannot_be_read_any_more(export_copy: Copy) -> None:
    folder = export_copy("todo")
    export = read_export(folder)
    (folder / "api/mytodoapp/amplify-appsync-files/schema.graphql").unlink()
    with pytest.raises(
        ExportRefused, match=r"AD103 api/mytodoapp/amplify-appsync-files/schema\.graphql: cannot be read"
    ):
        assemble(export)


def test_an_export_made_on_windows(export_copy: Copy) -> None:
    """Backslashes in the manifest: the same assembly."""
    folder = export_copy("full")
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).unlink()
    lines = [line.replace("/", "\\\\") if "templateFile" in line else line for line in text.split("\n")]
    (folder / MANIFEST).write_text("\r\n".join(lines))
    assert "\\\\stacks\\\\Todo.json" in (folder / MANIFEST).read_text()
    assert assemble(read_export(folder)) == assemble(read_export(EXPORTS["full"]))


def test_a_yaml_template_is_read_as_its_json(export_copy: Copy) -> None:
    folder = export_copy("full")
    set_value(folder, MANIFEST, "/props/loadNestedStacks/functionhelloFn/templateFile", "function/helloFn/template.yml")
    (folder / "function/helloFn/template.yml").write_text(
        """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  env: {Type: String}
Conditions:
  Prod: !Equals [!Ref env, prod]
  Both: !And [!Condition Prod, !Not [!Equals [a, b]]]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Sub "${env}-topic"
      DisplayName: !If [Prod, !GetAtt Other.Deep.Name, !Ref AWS::NoValue]
      Tags:
        - {Key: a, Value: !Join ["-", [!Ref env, !Select [0, !Split [",", "x,y"]]]]}
        - {Key: b, Value: !Sub ["${x}", {x: !FindInMap [M, a, b]}]}
        - {Key: c, Value: !Base64 text}
        - {Key: d, Value: 2012-10-17}
        - {Key: e, Value: true}
"""
    )
    template = read_export(folder).root.nested["functionhelloFn"].template
    assert template["AWSTemplateFormatVersion"] == "2010-09-09"
    assert template["Conditions"]["Both"] == {
        "Fn::And": [{"Condition": "Prod"}, {"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}]
    }
    properties = template["Resources"]["Topic"]["Properties"]
    assert properties["TopicName"] == {"Fn::Sub": "${env}-topic"}
    assert properties["DisplayName"] == {
        "Fn::If": ["Prod", {"Fn::GetAtt": ["Other", "Deep.Name"]}, {"Ref": "AWS::NoValue"}]
    }
    assert [tag["Value"] for tag in properties["Tags"]] == [
        {"Fn::Join": ["-", [{"Ref": "env"}, {"Fn::Select": [0, {"Fn::Split": [",", "x,y"]}]}]]},
        {"Fn::Sub": ["${x}", {"x": {"Fn::FindInMap": ["M", "a", "b"]}}]},
        {"Fn::Base64": "text"},
        "2012-10-17",
        True,
    ]
