"""What is looked at where; one question that cannot be asked stops none of the others."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, tzinfo
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from amplify_delivery import cli
from amplify_delivery.components.documents.web_identity import GITLAB_COMPONENTS
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.doctor import checkup, environment_questions
from amplify_delivery.delivery.doctor.asking import identity, quotas, this_machine
from amplify_delivery.delivery.doctor.asking.clients import NotKnownError
from amplify_delivery.delivery.doctor.judging.caller import Caller, NoCaller
from amplify_delivery.delivery.doctor.lines import Line, Section
from amplify_delivery.delivery.doctor.questions import AT_ONCE, Once, Question, answered
from amplify_delivery.errors import ConfigError, RefusedError
from unit.delivery.doctor.cases import MACHINE, wrong
from unit.delivery.doctor.stubbed import Stubbed
from unit.stacks.projects import make, write

BOTH = ("region", "services")
ROOM = (
    *("CloudFormation stacks", "CloudFormation resources", "root stack", "IAM roles", "IAM policies", "S3 buckets"),
    *("Lambda concurrency", "Lambda storage", "runtimes"),
)
BOOTSTRAPPED = (*BOTH, *("bootstrap", "state", "state key", "trust", "rights", "organization", "builds"), *ROOM)
PERSONAL = (*BOTH, "state", "state key", "rights", *ROOM)
PIPELINE = ("region", "state", "state key", "connection", "trust", "builds")


class Clock(datetime):
    """A day on which the export's runtimes are young."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Clock:
        return cls(2026, 11, 1, tzinfo=tz)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a bootstrapped environment, a personal one and a pipeline, on a machine that has all it needs."""
    make(tmp_path, 1)
    write(tmp_path, "dev", {"account": "444444444444", "region": "eu-west-1"})
    monkeypatch.setattr(this_machine, "machine", lambda *_: MACHINE)
    monkeypatch.setattr(identity, "times", lambda _: pytest.fail("the clock is asked elsewhere"))
    monkeypatch.setattr(environment_questions, "datetime", Clock)
    monkeypatch.setattr(checkup, "_machine", lambda *_: Section("this machine", ()))
    return tmp_path


def subjects(folder: Path, stack: str) -> tuple[str, ...]:
    _, section = checkup.examine([stack], Context(folder, {}))
    return tuple(line.subject for line in section.lines)


def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "caller", lambda _: (None, NoCaller("there are none", "log in")))


def test_each_place_has_its_questions_and_each_is_answered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody(monkeypatch)
    who = ("credentials", "account")
    assert subjects(folder, "preprod") == (*who, *BOOTSTRAPPED)
    assert subjects(folder, "dev") == (*who, *PERSONAL)
    assert subjects(folder, "pipeline") == (*who, *PIPELINE)
    machine = {"engine", "providers", "python", "packages", "clock", "source", "approval"}
    assert {line.subject for _, _, line in wrong()} == {*who, *BOOTSTRAPPED, *PERSONAL, *PIPELINE, *machine}


class Api:
    """GitHub's and GitLab's: what they answer to each path, and with which tokens they were asked."""

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}
        self.tokens: list[str] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.tokens.append(self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or "")
                found = api.answers.get(self.path)
                self.send_response(found if isinstance(found, int) else 200 if found is not None else 404)
                self.end_headers()
                self.wfile.write(json.dumps({"message": "no"} if isinstance(found, int) else found or {}).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        # Its end is looked for so often: nobody waits half a second for it.
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    nobody(monkeypatch)
    found = Api()
    yield found
    found.server.shutdown()


def approval(api: Api, folder: Path, **variables: str) -> Line:
    """What is said of who approves a deployment to `preprod`, where the CI is asked at `api`."""
    places = {"GITHUB_API_URL": api.url, "CI_API_V4_URL": api.url, "CI_SERVER_HOST": "gitlab.com"}
    _, section = checkup.examine(["preprod"], Context(folder, {**places, **variables}))
    [line] = [line for line in section.lines if line.subject == "approval"]
    return line


ENVIRONMENTS = "/repos/octo/shop/environments?per_page=1"


@pytest.fixture
def github(folder: Path) -> Path:
    """The project, delivered by jobs of GitHub."""
    jobs = {"repository": "octo/shop", "ownerId": "1", "repositoryId": "2"}
    write(folder, "preprod-account", {"program": "account", "github": jobs})
    return folder


def test_of_a_private_repository_nobody_sees_whether_an_environment_is_missing(api: Api, github: Path) -> None:
    assert approval(api, github).state == "not known"
    assert approval(api, github, GH_TOKEN="t").state == "not known"
    assert api.tokens == ["", "", "Bearer t", "Bearer t"]


def test_a_token_that_may_not_read_environments_is_told_the_right(api: Api, github: Path) -> None:
    api.answers |= {"/repos/octo/shop": {"id": 2}, ENVIRONMENTS: 403}
    line = approval(api, github, GH_TOKEN="t")
    assert (line.state, "answers 403: no" in line.said, "`Actions: read`" in line.remedy) == ("not known", True, True)
    api.answers |= {ENVIRONMENTS: {"total_count": 0, "environments": []}, "/repos/octo/shop/environments/preprod": 403}
    assert approval(api, github, GH_TOKEN="t").state == "not known"


def test_an_environment_that_github_lacks_protects_nothing(api: Api, github: Path) -> None:
    api.answers |= {"/repos/octo/shop": {"id": 2}, ENVIRONMENTS: {"total_count": 0, "environments": []}}
    line = approval(api, github, GH_TOKEN="t")
    assert (line.state, "has no environment preprod" in line.said) == ("warning", True)


def test_githubs_required_reviewers_are_counted(api: Api, github: Path) -> None:
    reviewing = {"type": "required_reviewers", "prevent_self_review": True, "reviewers": [{}, {}]}
    api.answers["/repos/octo/shop/environments/preprod"] = {
        "protection_rules": [reviewing, {"type": "branch_policy"}],
        "deployment_branch_policy": {"protected_branches": True},
    }
    assert approval(api, github).said == "preprod: one of 2 required reviewers approves"


@pytest.fixture
def gitlab(folder: Path) -> Path:
    """The project, delivered by jobs of GitLab."""
    jobs = {"project": "octo/shop", "projectId": "7"}
    write(folder, "preprod-account", {"program": "account", "gitlab": jobs})
    return folder


def test_gitlab_tells_nothing_without_a_token_of_the_project(api: Api, gitlab: Path) -> None:
    assert approval(api, gitlab).state == "not known"
    assert "answers 404" in approval(api, gitlab, GITLAB_TOKEN="t").said


def test_tokens_of_gitlab_that_do_not_name_the_environment_let_no_job_in(api: Api, gitlab: Path) -> None:
    api.answers["/projects/7"] = {"ci_id_token_sub_claim_components": ["project_path", "ref_type", "ref"]}
    assert "they let no job in" in approval(api, gitlab, GITLAB_TOKEN="t").said


def test_an_environment_of_gitlab_has_to_be_protected(api: Api, gitlab: Path) -> None:
    api.answers["/projects/7"] = {
        "ci_id_token_sub_claim_components": list(GITLAB_COMPONENTS),
        "ci_pipeline_variables_minimum_override_role": "no_one_allowed",
        "ci_allow_fork_pipelines_to_run_in_parent_project": False,
    }
    protected = "/projects/7/protected_environments/preprod"
    assert "is not a protected environment" in approval(api, gitlab, GITLAB_TOKEN="t").said
    api.answers[protected] = 403
    assert approval(api, gitlab, GITLAB_TOKEN="t").state == "not known"
    api.answers[protected] = {"name": "preprod"}
    assert approval(api, gitlab, GITLAB_TOKEN="t").state == "ok"


def test_another_account_is_asked_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "caller", lambda _: (Stubbed().asking, Caller("999999999999", "arn:x")))
    _, section = checkup.examine(["preprod"], Context(folder, {}))
    states = {line.subject: line.state for line in section.lines}
    assert (states.pop("credentials"), states.pop("account")) == ("ok", "error")
    own = {states.pop(subject) for subject in ("services", "runtimes")}  # what the export and lists of ours tell
    assert (own, set(states.values())) == ({"ok"}, {"not known"})


@pytest.mark.parametrize(("told", "state"), [((2000, None), "not known"), ((2000, 3), "warning"), ((2000, 2500), "ok")])
def test_a_limit_that_cloudformation_does_not_tell_is_not_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch, told: tuple[int, int | None], state: str
) -> None:
    monkeypatch.setattr(
        identity, "caller", lambda _: (Stubbed().asking, Caller("444444444444", "arn:aws:iam::444444444444:user/ann"))
    )
    monkeypatch.setattr(quotas, "limits", lambda _: quotas.Limits(*told))
    monkeypatch.setattr(quotas, "stacks", lambda _: ())
    _, section = checkup.examine(["dev"], Context(folder, {}))
    states = {line.subject: line.state for line in section.lines}
    assert (states["CloudFormation stacks"], states["CloudFormation resources"]) == ("ok", state)


def test_what_needs_no_account_is_told_without_credentials(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody(monkeypatch)
    variables = {"PULUMI_BACKEND_URL": f"file://{folder}"}
    monkeypatch.setenv("PULUMI_BACKEND_URL", variables["PULUMI_BACKEND_URL"])
    _, section = checkup.examine(["dev"], Context(folder, variables))
    known = {line.subject: line.state for line in section.lines if line.state != "not known"}
    assert known == {"credentials": "error", **dict.fromkeys(("services", "state", "state key", "runtimes"), "ok")}


def test_an_accounts_stack_is_refused_with_what_to_name(folder: Path) -> None:
    with pytest.raises(ConfigError, match="amplify-delivery doctor preprod"):
        checkup.examine(["preprod-account"], Context(folder, {}))


def test_the_command_ends_with_one_where_there_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody(monkeypatch)
    monkeypatch.chdir(folder)
    assert cli.main(["doctor", "preprod", "--pipeline", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["well"]
    assert [place["place"].partition(" ")[0] for place in found["places"]] == ["this", "preprod", "pipeline"]
    assert found["counts"]["error"] == 2
    line = found["places"][1]["lines"][0]
    expected = {"subject": "credentials", "state": "error", "message": "there are none", "remedy": "log in"}
    assert line == {**expected, "right": ""}
    assert cli.main(["doctor", "preprod"]) == 1
    shown = capsys.readouterr().out
    assert "  error      credentials: there are none\n             -> log in\n" in shown
    assert (
        "  not known  bootstrap, state, state key, trust, rights, organization, builds, CloudFormation stacks" in shown
    )
    assert shown.endswith(f"2 ok, 0 warning, 1 error, {len(BOOTSTRAPPED) - 1} not known\n")
    assert cli.main(["doctor"]) == 0
    assert cli.main(["doctor", "nowhere"]) == 3


def test_of_several_pipelines_one_is_named_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody(monkeypatch)
    monkeypatch.chdir(folder)
    (folder / "Pulumi.second.yaml").write_text((folder / "Pulumi.pipeline.yaml").read_text())
    assert cli.main(["doctor", "--pipeline"]) == 3
    assert "name one with --pipeline" in capsys.readouterr().err
    assert cli.main(["doctor", "second", "--pipeline", "second"]) == 1
    assert capsys.readouterr().out.count("second (account") == 1


def test_strict_minds_warnings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    warned = Section("here", (Line("clock", "warning", "late", "set it"),))
    monkeypatch.setattr(checkup, "_machine", lambda *_: warned)
    assert (cli.main(["doctor"]), cli.main(["doctor", "--strict"])) == (0, 1)


def test_one_that_cannot_be_asked_stops_no_other() -> None:
    def denied() -> list[Line]:
        raise NotKnownError("denied", right="iam:GetRole", remedy="give it")

    def unreadable() -> list[Line]:
        raise RefusedError("is no export", where="here", remedy="export again")

    questions = [
        Question(("a", "b"), denied),
        Question(("c",), unreadable),
        Question(("d",), lambda: [Line("d", "ok", "")]),
    ]
    found = [(line.subject, line.state, line.said, line.right) for line in answered(questions)]
    assert found == [
        ("a", "not known", "denied", "iam:GetRole"),
        ("b", "not known", "denied", "iam:GetRole"),
        ("c", "not known", "here: is no export", ""),
        ("d", "ok", "", ""),
    ]


def test_a_defect_is_not_hidden() -> None:
    def defect() -> list[Line]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answered([Question(("a",), defect)])


def test_so_many_are_asked_at_once() -> None:
    meeting = threading.Barrier(AT_ONCE, timeout=300)

    def ask() -> list[Line]:
        meeting.wait()
        return []

    assert answered([Question(("a",), ask)] * (2 * AT_ONCE)) == []


def test_what_several_questions_need_is_found_out_once() -> None:
    calls = []

    def find() -> int:
        calls.append(1)
        if len(calls) > 1:
            raise AssertionError
        return 7

    value = Once(find)
    assert (value(), value()) == (7, 7)

    def fail() -> int:
        calls.append(2)
        raise ConfigError("no")

    failing = Once(fail)
    for _ in range(2):
        with pytest.raises(ConfigError):
            failing()
    assert calls == [1, 2]
