"""`pack`: what it packs is what the projects verify, in their own shell; and what `start` refuses before it asks."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from amplify_delivery import cli
from amplify_delivery.components.documents.pipeline.artifact import KEPT, LIST, verify
from amplify_delivery.delivery.account.remote import sealed
from amplify_delivery.delivery.output import append_variables
from amplify_delivery.errors import ConfigError, RefusedError


def _checkout(folder: Path) -> Path:
    for path, text in {
        "Pulumi.yaml": "name: shop\n",
        "a b/ä.txt": "umlaut",
        "run.sh": "#!/bin/sh\n",
        "z/__pycache__/x.pyc": "byte code",
        ".git/config": "hidden",
        ".npmrc": "kept",
        ".hidden": "not kept",
        "web/.babelrc": "kept",
        KEPT: "./.npmrc\n./web/.babelrc\n",
        LIST: "of an earlier one\n",
    }.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "run.sh").chmod(0o755)
    return folder


def test_what_is_no_project_is_not_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An artifact of nothing would be accepted by everybody until the account's projects find no program in it."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["pack", "--out", "artifact.zip", "--variables", "out"]) == 3
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_built_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(_checkout(tmp_path / "checkout"))
    said = "note: there is no assembly/ in it, which `amplify-delivery build` makes"
    assert (cli.main(["pack", "--out", "../x.zip"]), said in capsys.readouterr().err) == (0, True)
    Path("assembly").mkdir()
    assert (cli.main(["pack", "--out", "../x.zip"]), said in capsys.readouterr().err) == (0, False)


@pytest.mark.processes
def test_what_is_packed_is_verified_by_the_projects_own_shell(tmp_path: Path) -> None:
    checkout = _checkout(tmp_path / "checkout")
    digest = sealed.pack(checkout, checkout / "artifact.zip")
    packed = (checkout / "artifact.zip").read_bytes()
    assert sealed.digest_of(packed, "") == digest
    there = tmp_path / "there"
    subprocess.run(["unzip", "-q", str(checkout / "artifact.zip"), "-d", str(there)], check=True)
    found = {p.relative_to(there).as_posix() for p in there.rglob("*") if p.is_file()}
    assert found == {"Pulumi.yaml", "a b/ä.txt", "run.sh", ".npmrc", "web/.babelrc", KEPT, LIST}
    assert os.access(there / "run.sh", os.X_OK)

    def verified(given: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "ARTIFACT_DIGEST": given}
        return subprocess.run(
            ["bash", "-c", verify()], cwd=there, env=environment, capture_output=True, text=True, check=False
        )

    assert verified(digest).returncode == 0, verified(digest).stderr
    assert verified("0" * 64).returncode != 0
    (there / "added.txt").write_text("x")
    assert "are not those that Build made" in verified(digest).stderr


def test_the_same_checkout_is_the_same_artifact(tmp_path: Path) -> None:
    one, two = (_checkout(tmp_path / name) for name in ("one", "two"))
    assert sealed.pack(one, tmp_path / "1.zip") == sealed.pack(two, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_what_a_build_exports_writes_no_lines_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="CHANGES has several lines"):
        append_variables(tmp_path / "out", {"CHANGES": "1\nPLAN_DIGEST=x"})
    assert not (tmp_path / "out").exists()


def test_links_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    checkout = _checkout(tmp_path / "checkout")
    (checkout / "web/link").symlink_to("/etc/passwd")
    with pytest.raises(RefusedError, match="links and special files"):
        sealed.pack(checkout, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def a_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with one environment that a pipeline delivers; it is the working directory."""
    monkeypatch.chdir(folder)
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    lines = 'config:\n  account: "222222222222"\n  region: eu-west-1\n  bootstrapped: true\n'
    (folder / "Pulumi.prod.yaml").write_text(lines)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("deploy", "--digest", "a" * 64), "deploy wants --plan"),
        (("plan", "--digest", "a" * 64, "--plan", "a" * 64), "--plan belongs to deploy"),
        (("check", "--digest", "a" * 64), "check wants --step"),
        (("plan", "--digest", "abc"), "'abc' is not a digest"),
        (("plan", "--artifact", "none.zip"), "none.zip"),
        (("plan", "--artifact", "bad.zip"), "is not an artifact"),
    ],
)
def test_what_does_not_go_together_is_refused_before_aws_is_asked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    a_project(tmp_path, monkeypatch)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("x", "no list")
    assert cli.main(["start", "prod", *arguments]) == 3
    assert says in capsys.readouterr().err


def test_a_job_of_github_without_the_right_to_a_token_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_project(tmp_path, monkeypatch)
    for variable in ("ACTIONS_ID_TOKEN_REQUEST_URL", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert cli.main(["start", "prod", "plan", "--digest", "a" * 64]) == 3
    assert "permissions: {id-token: write}" in capsys.readouterr().err


def test_an_account_that_lets_no_ci_in_is_told_before_anything_is_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its projects would fail on AWS's refusal of an artifact that they may not read, with the artifact put there."""
    a_project(tmp_path, monkeypatch)
    account = tmp_path / "Pulumi.prod-account.yaml"
    account.write_text("config:\n  program: account\n  environments: [prod]\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    assert cli.main(["start", "prod", "plan", "--digest", "a" * 64]) == 3
    said = capsys.readouterr().err
    assert "Pulumi.prod-account.yaml: the account of prod lets no CI in" in said
    assert "`amplify-delivery bootstrap prod`; nothing was started" in said
    # One that does, asks next for a token.
    account.write_text(f'{account.read_text()}  github: {{repository: octo/shop, ownerId: "1", repositoryId: "2"}}\n')
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL", raising=False)
    assert cli.main(["start", "prod", "plan", "--digest", "a" * 64]) == 3
    assert "permissions: {id-token: write}" in capsys.readouterr().err
