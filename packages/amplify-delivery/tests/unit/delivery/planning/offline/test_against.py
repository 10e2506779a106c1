"""`plan --against`: plans of a pull request, from git alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from amplify_delivery.changes.gained import Gained
from amplify_delivery.changes.gained.grants import ANYONE
from amplify_delivery.changes.impossible.finding import Impossible
from amplify_delivery.changes.steps import RemoveResource
from amplify_delivery.cli import main
from amplify_delivery.delivery.planning.offline.against import Against, OfflinePlan, against
from amplify_delivery.delivery.printing.markdown import LONGEST, MARK, code, markdown, sentence
from amplify_delivery.errors import ConfigError, ExportRefused, RefusedError
from amplify_delivery.export import assemble, read_export, write_assembly
from unit.command_line import export

pytestmark = pytest.mark.processes

APP, FOLDER = "seriesapp", "amplify-export-seriesapp"


class Repository:
    """A clone with a project in it."""

    def __init__(self, top: Path, project: str = ".") -> None:
        self.top, self.project = top, top / project
        self.project.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        (self.project / "Pulumi.yaml").write_text(f"name: {APP}\nruntime: python\n")
        for name in ("dev", "prod"):
            self.configure(name)
        self.take("v2")
        (self.project / "__main__.py").write_text("raise SystemExit('the program of a commit is not run')\n")
        self.commit("first")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        ran = subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments],
            cwd=cwd or self.top,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def configure(self, name: str, more: str = "", *, account: str = "444444444444") -> None:
        text = f'config:\n  account: "{account}"\n  region: eu-central-1\n{more}'
        (self.project / f"Pulumi.{name}.yaml").write_text(text)

    def take(self, version: str) -> None:
        shutil.rmtree(self.project / FOLDER, ignore_errors=True)
        shutil.copytree(export(f"todo-series/{version}"), self.project / FOLDER)

    def against(self, ref: str = "HEAD", *environments: str) -> Against:
        return against(self.project, ref, environments, os.environ)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "clone")


def plans(found: Against) -> dict[str, OfflinePlan]:
    return {plan.name: plan for plan in found.plans}


def test_a_pull_request_is_planned_for_each_environment(repository: Repository) -> None:
    unchanged = repository.against()
    assert [(p.name, p.steps, p.gained, p.notes) for p in unchanged.plans] == [
        ("dev", (), (), ()),
        ("prod", (), (), ()),
    ]
    repository.take("v3")  # not committed: the tree is compared as it lies there
    found = repository.against()
    assert {plan.stack for plan in found.plans} == {f"amplify-{APP}-{name}-{suffix(found)}" for name in ("dev", "prod")}
    for plan in found.plans:
        assert (plan.deployed, len(plan.steps), plan.losses, plan.impossible) == (True, 32, (), ())
        assert any(right.open and "Mutation.createTodoList" in right.rights for right in plan.gained)
    first = repository.git("rev-parse", "HEAD")
    repository.commit("second")
    assert repository.against().plans[0].steps == ()
    assert repository.against("HEAD~1").plans == repository.against(first[:9]).plans == found.plans


def suffix(found: Against) -> str:
    return found.plans[0].stack.rpartition("-")[2]


def test_losses_and_what_is_impossible(repository: Repository) -> None:
    repository.take("v4")
    repository.commit("more")
    repository.take("v2")
    reason = "    - {path: authseriesappauth/UserPool, reason: 'no users yet', until: '2999-01-01'}\n"
    repository.configure("dev", f"  dataLoss:\n{reason}")
    found = plans(repository.against())
    lost = {"apiseriesapp/TodoList/TodoListTable", "authseriesappauth/IdentityPool", "authseriesappauth/UserPool"}
    for plan in found.values():
        assert {step.place for step in plan.losses} == lost
    assert any("authseriesappauth/UserPool is allowed until 2999" in note for note in found["dev"].notes)
    assert not any("is allowed" in note for note in found["prod"].notes)
    template = repository.project / FOLDER / "api" / APP / "amplify-appsync-files" / "stacks" / "Todo.json"
    keyed = json.loads(template.read_text())
    keyed["Resources"]["TodoTable"]["Properties"]["KeySchema"][0]["AttributeName"] = "other"
    template.write_text(json.dumps(keyed))
    assert {i.id for i in plans(repository.against())["prod"].impossible} == {"AD743"}


def test_where_data_is_lost_comes_first(repository: Repository) -> None:
    repository.take("v4")
    repository.commit("more")
    repository.configure("prod", "  assembly: kept\n")
    assembled = assemble(read_export(repository.project / FOLDER))
    write_assembly(assembled, repository.project / "kept")
    repository.commit("prod stays")
    repository.configure("abc")
    repository.take("v2")
    repository.configure("prod", "  assembly: kept\n")
    told = markdown(repository.against("HEAD", "abc", "prod", "dev"))
    assert told.index("`dev`") < told.index("`abc`") < told.index("`prod`")
    assert told.index("Data would be lost") < told.index("<details>")


def test_environments_come_in_the_order_of_what_must_not_be_overlooked(repository: Repository) -> None:
    """docs/pull-requests.md: those that lose data, then what AWS cannot do, then what is opened."""
    found = repository.against()
    plan = found.plans[0]
    closed = Gained("action", ("api", "Role"), "AWS::IAM::Role", "Role", ("s3:GetObject",))
    loss = RemoveResource(("api", "T"), "AWS::DynamoDB::Table", kept=False, loss="its data is deleted")
    plans = (
        replace(plan, name="closed", gained=(closed,)),
        replace(plan, name="opened", gained=(replace(closed, who=ANYONE),)),
        replace(plan, name="refused", impossible=(Impossible("AD741", "api", "no", "wait"),)),
        replace(plan, name="lost", steps=(loss,)),
    )
    told = markdown(replace(found, plans=plans))
    assert re.findall(r"^### `(\w+)`", told, re.MULTILINE) == ["lost", "refused", "opened", "closed"]


def test_the_pattern_of_previews_is_planned_only_if_it_is_named(repository: Repository) -> None:
    """Nothing of it is deployed, and what previews would lose nobody need agree to."""
    repository.configure("preview", "  disposable: true\n")
    repository.commit("previews")
    repository.take("v3")
    assert [plan.name for plan in repository.against().plans] == ["dev", "prod"]
    assert [plan.name for plan in repository.against("HEAD", "preview").plans] == ["preview"]
    for name in ("dev", "prod"):
        (repository.project / f"Pulumi.{name}.yaml").unlink()
    found = repository.against()
    assert (found.plans, found.notes[0]) == (
        (),
        "nothing was planned: all environments here are disposable (preview)",
    )


def test_a_release_of_several_updates_is_told_in_their_order(repository: Repository) -> None:
    template = repository.project / FOLDER / "api" / APP / "amplify-appsync-files" / "stacks" / "Todo.json"
    indexed = json.loads(template.read_text())
    table = indexed["Resources"]["TodoTable"]["Properties"]
    for name in ("byA", "byB"):
        table["AttributeDefinitions"].append({"AttributeName": name, "AttributeType": "S"})
        keys = [{"AttributeName": name, "KeyType": "HASH"}]
        index = {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
        table.setdefault("GlobalSecondaryIndexes", []).append(index)
    template.write_text(json.dumps(indexed))
    found = repository.against("HEAD", "dev")
    (plan,) = found.plans
    assert plan.impossible == ()
    assert [step.to_json()["step"] for step in plan.steps].count("update-root") == 2
    assert plan.changes == len(plan.steps) - 2
    told = markdown(found)
    assert told.index("update 1 of 2") < told.index("update 2 of 2")
    assert told.count("<details>") == 2


def test_protection_by_cloudformation_shows_in_its_environment(repository: Repository) -> None:
    repository.configure("dev", "  protect: false\n")
    (step,) = plans(repository.against())["dev"].steps
    assert step.to_json() == {"step": "protect-stack", "on": False}


def test_production_shows_in_its_environment(repository: Repository) -> None:
    repository.configure("prod", "  production: true\n")
    found = plans(repository.against())
    assert found["dev"].steps == ()
    assert found["prod"].losses == ()
    # Protected against termination it is already, since it holds data.
    assert {step.to_json()["step"] for step in found["prod"].steps} == {"change-resource"}
    assert "apiseriesapp/Todo/TodoTable" in {step.place for step in found["prod"].steps}
    repository.commit("production")
    assert plans(repository.against())["prod"].steps == ()
    assert plans(repository.against("HEAD~1"))["prod"] == found["prod"]


def test_a_value_of_one_environment_is_a_change_of_that_one(repository: Repository) -> None:
    repository.configure("prod", "  parameters:\n    root: {AuthRoleName: another-role}\n")
    found = plans(repository.against())
    assert found["dev"].steps == ()
    assert "AuthRole" in {step.place for step in found["prod"].steps}
    assert repository.against("HEAD", "dev").plans == (found["dev"],)


def test_environments_that_come_go_and_move(repository: Repository) -> None:
    (repository.project / "Pulumi.dev.yaml").rename(repository.project / "Pulumi.qa.yaml")
    repository.configure("prod", account="555555555555")
    found = repository.against()
    assert any("dev: in HEAD, and not here; that alone deletes nothing" in note for note in found.notes)
    qa, prod = plans(found)["qa"], plans(found)["prod"]
    assert (qa.deployed, prod.deployed) == (False, False)
    assert "has no Pulumi.qa.yaml" in qa.notes[0]
    assert "account 444444444444 becomes 555555555555" in prod.notes[0]
    assert {step.mark for step in qa.steps} == {"+"}


def test_what_stack_files_name_is_read_from_the_commit(repository: Repository) -> None:
    """An assembly, and a second export with this environment's values."""
    second = repository.project / "second"
    shutil.copytree(repository.project / FOLDER, second)
    manifest = second / "amplify-export-manifest.json"
    text = manifest.read_text()
    name = json.loads(text)["stackName"]
    manifest.write_text(text.replace(name, name.replace(name.split("-")[2], "prod", 1)))
    repository.configure("prod", "  valuesFrom: second\n")
    write_assembly(assemble(read_export(repository.project / FOLDER)), repository.project / "assembled")
    repository.configure("dev", "  assembly: assembled\n")
    repository.commit("named")
    shutil.rmtree(repository.project / "assembled")
    repository.configure("dev")
    assert {plan.name: plan.steps for plan in repository.against().plans} == {"dev": (), "prod": ()}
    told = json.loads(manifest.read_text())
    told["props"]["parameters"]["AuthRoleName"] = "another"
    manifest.write_text(json.dumps(told))
    assert "AuthRole" in {step.place for step in plans(repository.against())["prod"].steps}


def test_secrets_and_the_program(repository: Repository) -> None:
    full = repository.project / FOLDER / "api" / APP / "cloudformation-template.json"
    template = json.loads(full.read_text())
    for name in ("Old", "New"):
        template["Parameters"][name] = {"Type": "String", "NoEcho": True}
    full.write_text(json.dumps(template))
    given = "  parameters:\n    api{}: {{Old: {{secure: 'v1:{}'}}, New: {{secure: 'v1:x'}}}}\n"
    for name in ("dev", "prod"):
        repository.configure(name, given.format(APP, "a"))
    repository.commit("secret")
    repository.configure("prod", given.format(APP, "b"))
    (repository.project / "__main__.py").write_text("pass\n")
    found = repository.against()
    assert plans(found)["dev"].notes == ()
    assert plans(found)["prod"].notes[0].startswith(f"secrets that were set again: api{APP}.Old;")
    assert any("the program differs too (__main__.py)" in note for note in found.notes)


def test_a_project_below_the_top_and_an_export_beside_it(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "mono", "deploy/backend")
    (repository.project / FOLDER).rename(repository.top / "exported")
    for name in ("dev", "prod"):
        repository.configure(name, "  export: ../../exported\n")
    repository.commit("moved")
    assert [plan.steps for plan in repository.against().plans] == [(), ()]
    template = repository.top / "exported" / "api" / APP / "amplify-appsync-files" / "stacks" / "Todo.json"
    template.write_text(template.read_text().replace('"PAY_PER_REQUEST"', '"PROVISIONED"'))
    assert "apiseriesapp/Todo/TodoTable" in {s.place for s in repository.against().plans[0].steps}
    assert repository.git("status", "--porcelain", "--ignored").splitlines() == (
        ["M exported/api/seriesapp/amplify-appsync-files/stacks/Todo.json"]
    )


def test_nothing_of_the_commit_runs_and_nothing_is_written(repository: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    hook = repository.top / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    repository.git("config", "filter.evil.smudge", f"touch {ran}; cat")
    (repository.project / ".gitattributes").write_text("*.json filter=evil\n")
    repository.commit("attributes")
    ran.unlink(missing_ok=True)
    before = {p: p.stat().st_mtime_ns for p in repository.top.rglob("*") if p.is_file()}
    assert repository.against().plans[0].steps == ()
    assert not ran.exists()
    assert {p: p.stat().st_mtime_ns for p in repository.top.rglob("*") if p.is_file()} == before


def refused(repository: Repository, ref: str = "HEAD") -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        repository.against(ref)
    return caught.value


def test_what_is_no_commit_here(repository: Repository, tmp_path: Path) -> None:
    for ref in ("origin/release", "--all", ""):
        error = refused(repository, ref)
        assert error.message == f"git knows no commit {ref!r}"
        assert "git fetch origin" in error.remedy
    repository.take("v3")
    repository.commit("second")
    clone = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.top}", str(clone))
    with pytest.raises(RefusedError) as caught:
        against(clone, "HEAD~1", (), os.environ)
    assert "shallow" in caught.value.remedy
    assert "fetch-depth: 0" in caught.value.remedy
    assert against(clone, "HEAD", (), os.environ).plans[0].steps == ()


def test_a_folder_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository(tmp_path / "clone")
    shutil.rmtree(repository.top / ".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert "is not in a git repository" in refused(repository).message
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed" in refused(repository).message


def test_a_commit_of_another_layout(repository: Repository) -> None:
    repository.git("mv", "Pulumi.yaml", "README.yaml")
    without = repository.commit("no project")
    repository.git("mv", "README.yaml", "Pulumi.yaml")
    repository.commit("again")
    assert "no Pulumi.yaml is there" in refused(repository, without).message

    repository.git("rm", "-rq", FOLDER)
    without = repository.commit("no export")
    repository.take("v3")
    error = refused(repository, without)
    assert "there is no amplify-export-* folder here" in error.message
    assert without[:12] in error.where

    (repository.project / FOLDER / "export-tags.json").write_text("{")
    broken = repository.commit("broken")
    repository.take("v3")
    error = refused(repository, broken)
    assert "AD103 export-tags.json" in error.message

    (repository.project / FOLDER / "export-tags.json").unlink()
    (repository.project / FOLDER / "export-tags.json").symlink_to("../../../etc/passwd")
    linked = repository.commit("linked")
    repository.take("v3")
    assert "export-tags.json is a symbolic link" in refused(repository, linked).message


def test_what_lies_here_is_refused_as_it_always_is(repository: Repository) -> None:
    with pytest.raises(ConfigError, match="there is no environment 'stage'"):
        repository.against("HEAD", "stage")
    (repository.project / FOLDER / "export-tags.json").unlink()
    with pytest.raises(ExportRefused, match="AD102"):
        repository.against()


def test_an_lfs_pointer_is_what_it_stands_for(repository: Repository, tmp_path: Path) -> None:
    """Where Git LFS is not set up, what the pointer stands for cannot be had."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
    (repository.project / FOLDER / "export-tags.json").write_text(pointer)
    repository.commit("pointer")
    repository.take("v2")
    error = refused(repository)
    assert "export-tags.json is a Git LFS pointer" in error.message
    tags = export("todo-series/v2") / "export-tags.json"
    repository.git("config", "filter.lfs.smudge", f"cat {tags}")
    (repository.project / ".gitattributes").write_text("export-tags.json filter=lfs\n")
    repository.git("add", ".gitattributes")
    repository.git("commit", "-q", "-m", "attributes")
    assert repository.against().plans[0].steps == ()


# --- the command ------------------------------------------------------------------------------------------------------


def test_git_is_asked_only_for_what_differs_here(repository: Repository) -> None:
    """A file that is the commit's own, byte by byte, is read in the working copy: also one that git has lost."""
    tags = repository.project / FOLDER / "export-tags.json"
    name = repository.git("rev-parse", f"HEAD:{FOLDER}/export-tags.json")
    repository.configure("prod", "  parameters:\n    root: {AuthRoleName: another-role}\n")
    (repository.top / ".git/objects" / name[:2] / name[2:]).unlink()
    assert [bool(plan.steps) for plan in repository.against().plans] == [False, True]
    tags.write_text(tags.read_text() + " ")
    assert f"git does not have {FOLDER}/export-tags.json" in refused(repository).message


def command(repository: Repository, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    before = Path.cwd()
    os.chdir(repository.project)
    try:
        ended = main(["plan", *arguments])
    finally:
        os.chdir(before)
    return ended, capsys.readouterr().out


def test_the_command_prints_text_json_and_markdown(
    repository: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMPLIFY_DELIVERY_ASSEMBLY", "not-there")  # the commit is not what that says
    repository.take("v3")
    ended, out = command(repository, "dev", "--against", "HEAD", capsys=capsys)
    assert ended == 0
    assert "dev: 32 changes" in out
    assert "Rights that are new:" in out
    assert "no AWS account was asked" in out
    ended, out = command(repository, "--against", "HEAD", "--json", capsys=capsys)
    document = json.loads(out)
    assert document["against"] == {"ref": "HEAD", "commit": repository.git("rev-parse", "HEAD")}
    assert [e["environment"] for e in document["environments"]] == ["dev", "prod"]
    assert document["environments"][0]["changes"] == 32
    ended, out = command(repository, "--against", "HEAD", "--markdown", capsys=capsys)
    assert ended == 0
    assert out.startswith(MARK)
    assert out.count("<details>") == out.count("</details>") > 4
    assert out.index("Rights that are new") < out.index("<details>")


def test_impossible_is_refused_with_the_whole_plan(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    template = repository.project / FOLDER / "api" / APP / "amplify-appsync-files" / "stacks" / "Todo.json"
    keyed = json.loads(template.read_text())
    keyed["Resources"]["TodoTable"]["Properties"]["KeySchema"][0]["AttributeName"] = "other"
    template.write_text(json.dumps(keyed))
    for form in ((), ("--json",), ("--markdown",)):
        ended, out = command(repository, "--against", "HEAD", *form, capsys=capsys)
        assert ended == 3
        assert "AD743" in out
        assert "TodoTable" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--against", "HEAD", "--out", "x"),
        ("--against", "HEAD", "--variables", "x"),
        ("--against", "HEAD", "--wait", "3"),
        ("dev", "--markdown"),
        (),
        ("dev", "prod"),
    ],
)
def test_what_does_not_go_together(
    repository: Repository, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(repository, *arguments, capsys=capsys)[0] == 3


def test_neither_the_engine_nor_aws_is_loaded(repository: Repository) -> None:
    program = (
        "import sys; from amplify_delivery.cli import main; main(['plan', '--against', 'HEAD', '--json']); "
        "print(sorted({'boto3', 'pulumi', 'cfnlint'} & set(sys.modules)), file=sys.stderr)"
    )
    repository.take("v3")
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=repository.project, capture_output=True, text=True, check=True
    )
    assert ran.stderr.splitlines() == ["[]"]
    assert json.loads(ran.stdout)["environments"][0]["changes"] == 32


# --- Markdown ---------------------------------------------------------------------------------------------------------

NASTY = "a|b `c` ``d`` <img src=x> [l](u) @team #1 *x* _y_ \n# head\u202e"


def test_nothing_of_a_branch_is_markup(repository: Repository) -> None:
    inside = code(NASTY)
    assert inside.startswith("```")
    assert "\n" not in inside
    assert "\u202e" not in inside
    assert "a|b" in inside
    assert "a\\|b" in code(NASTY, cell=True)
    text = sentence(NASTY)
    assert re.findall(r"(?<!\\)[`*_<>\[\]#|~]", text.replace("@<!-- -->", "@ ")) == []
    assert "@team" not in text
    assert "\n" not in text

    reason = json.dumps(NASTY)
    file = f"  lint:\n    ignore:\n      - {{id: E2015, reason: {reason}}}\n"
    repository.configure("dev", file)
    stacks = repository.project / FOLDER / "api" / APP / "amplify-appsync-files" / "stacks" / "Todo.json"
    template = json.loads(stacks.read_text())
    role = next(i for i in template["Resources"].values() if i["Type"] == "AWS::IAM::Role")
    role["Properties"]["ManagedPolicyArns"] = [NASTY]
    stacks.write_text(json.dumps(template))
    told = markdown(repository.against())
    outside = "".join(part for index, part in enumerate(told.split("```")) if index % 2 == 0)
    assert "policy a" in told
    assert "@team" not in outside
    assert re.findall(r"(?<!\\)<(?!/?details>|/?summary>|!-- )", outside) == []


def test_a_comment_is_never_too_long(repository: Repository) -> None:
    (repository.project / "Pulumi.dev.yaml").unlink()
    for number in range(30):
        repository.configure(f"env{number:02d}")
    told = markdown(repository.against())
    assert len(told) < LONGEST + 200 < 65_536  # what GitHub takes
    assert all(f"`env{number:02d}`" in told for number in range(30))
    assert "more stacks: `amplify-delivery plan --against HEAD` lists all" in told
    assert "\x00" not in told
