"""Whether a run of a CI has ended, asked of the CI: its runners are gone with their jobs, and no machine can tell.

GitHub: "Get a workflow run attempt" of the REST API, which a job's own token may ask with `actions: read`. GitLab: "Get
a single job" of the Jobs API; a job's own token may not ask that, so it takes one in `GITLAB_TOKEN`.

That a run has ended for its CI does not say that its processes have: GitHub completes a run whose self-hosted runner it
has lost, and GitLab says `canceled` of a job as soon as somebody cancels it. So only a run that ended ten minutes ago
or earlier counts as ended, by the clock of the CI; of one that ended just now nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from amplify_delivery.delivery import ci_api

_A_WHILE = timedelta(minutes=10)
"""After the end that the CI tells; until then a process of the run may go on."""
_GITHUB = re.compile(r"/([^/]+/[^/]+)/actions/runs/([0-9]+)/attempts/([0-9]+)")
_GITLAB = re.compile(r"/(.+?)/-/jobs/([0-9]+)")
_GITLAB_ENDED = ("success", "failed", "canceled")


def ended(run: str, variables: Mapping[str, str]) -> tuple[bool, str] | None:
    """Whether the run with that address has ended, and in what words; None if that cannot be asked from here,
    or if it ended less than `_A_WHILE` ago, or at a time that is not told."""
    asked = _github(run, variables) or _gitlab(run, variables)
    if asked is None:
        return None
    try:
        answer = ci_api.get(*asked)
    except ci_api.NoAnswerError:
        return None
    if answer.status != ci_api.OK:
        return None
    found = answer.document
    status = str(found.get("status") or "")
    if "conclusion" in found:
        over, words = status == "completed", f"the run is {status} ({found['conclusion']})"
        when = found.get("updated_at")
    else:
        over, words = status in _GITLAB_ENDED, f"the job is {status}"
        when = found.get("finished_at") or found.get("updated_at")
    if over and not _a_while_ago(str(when or ""), answer.date):
        return None
    return over, words


def _a_while_ago(when: str, now: str) -> bool:
    """Whether an end was long enough before an answer of the CI; no if either time cannot be read."""
    try:
        return parsedate_to_datetime(now) - datetime.fromisoformat(when) >= _A_WHILE
    except (ValueError, TypeError):
        return False


_Question = tuple[str, Mapping[str, str]]
"""An address, and the headers that it is asked with."""


def _github(run: str, variables: Mapping[str, str]) -> _Question | None:
    token = variables.get("GH_TOKEN") or variables.get("GITHUB_TOKEN")
    server, api = variables.get("GITHUB_SERVER_URL", ""), variables.get("GITHUB_API_URL", "")
    found = _GITHUB.fullmatch(run.removeprefix(server)) if server and run.startswith(server) else None
    if not (found and token and api):
        return None
    repository, number, attempt = found.groups()
    url = f"{api}/repos/{repository}/actions/runs/{number}/attempts/{attempt}"
    return url, {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}


def _gitlab(run: str, variables: Mapping[str, str]) -> _Question | None:
    token = variables.get("GITLAB_TOKEN")
    server, api = variables.get("CI_SERVER_URL", ""), variables.get("CI_API_V4_URL", "")
    found = _GITLAB.fullmatch(run.removeprefix(server)) if server and run.startswith(server) else None
    if not (found and token and api):
        return None
    project, job = found.groups()
    return f"{api}/projects/{quote(project, safe='')}/jobs/{job}", {"PRIVATE-TOKEN": token}
