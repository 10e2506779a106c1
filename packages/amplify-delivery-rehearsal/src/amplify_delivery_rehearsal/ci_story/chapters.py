"""The chapters: accounts that let the jobs in, a first release through them, and one that changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from amplify_delivery.components.documents.naming import DEPLOY, PLAN
from amplify_delivery_rehearsal.ci_story.play import CiPlay, CiRun
from amplify_delivery_rehearsal.pipeline_story.own import MadeUp, Secret, by_account, give_secrets
from aws_rehearsal.ci_service import Job

_ANY = "0" * 64
"""A digest of nothing."""


@dataclass(frozen=True)
class CiChapter:
    """A part of the story."""

    title: str
    text: str
    play: Callable[[CiPlay], None]


def story(taken: tuple[Secret, ...], given: MadeUp) -> tuple[CiChapter, ...]:
    """The chapters; `taken` was taken out of the stack files, `given` sets some of it."""
    return (
        CiChapter(
            "Empty accounts",
            "The owner of each account gives it the CI's OIDC provider, and lets the repository's jobs in.",
            lambda play: _empty_accounts(play, taken, given),
        ),
        CiChapter(
            "The first run",
            "The jobs that the push starts, with each approval given. Before the last of them deploys, others try to: "
            "the one that plans, those of another branch and of another repository, and itself with a plan that nobody "
            "has approved.",
            _first_run,
        ),
        CiChapter("Released again", "A commit that changes nothing of the backend goes the same way.", _again),
    )


def _empty_accounts(play: CiPlay, taken: tuple[Secret, ...], given: MadeUp) -> None:
    owners = play.setting.owners
    for first, names in by_account(owners).items():
        address, audience = play.ci.provider(play.names(first).dns_suffix)
        owners[first].call("iam", "create_open_id_connect_provider", Url=address, ClientIDList=[audience])
        owners[first].delivery("bootstrap", *names)
    for name, owner in owners.items():
        give_secrets(play, name, taken, given)
        roles = " and ".join(play.names(name).ci_role(what) for what in (PLAN, DEPLOY))
        play.fact(f"{owner.account} lets jobs of {play.ci.repository} in, as {roles}")
    play.push("First delivery")


def _first_run(play: CiPlay) -> None:
    last = list(play.setting.owners)[-1]

    def tried(run: CiRun, job: Job) -> None:
        if job.environment == last:
            _nobody_else_deploys(play, run, job)

    play.deliver(play.setting.repository.head, "First delivery", tried)
    for name in play.setting.owners:
        play.touched(name, play.assembly)


def _nobody_else_deploys(play: CiPlay, run: CiRun, job: Job) -> None:
    """Before `job` deploys an environment for the first time: whoever else may try to, and has to be refused."""
    name = job.environment
    planning = next((each for each in run.jobs if each.signs and not each.environment), None)
    if planning:
        # Whoever plans cannot deploy: an approval stands between the two.
        claims = play.ci.claims(planning, run.push)
        play.is_not_let_in(planning.name, planning, claims, "start", name, DEPLOY, "--digest", _ANY, "--plan", _ANY)
    for who, ci, push in play.ci.strangers(run.push):
        deploys = ("start", name, DEPLOY, "--digest", _ANY, "--plan", _ANY)
        play.is_not_let_in(f"{job.name} of {who}", job, ci.claims(job, push), *deploys)
        if planning:
            plans = ("start", name, PLAN, "--digest", _ANY)
            play.is_not_let_in(f"{planning.name} of {who}", planning, ci.claims(planning, push), *plans)
    play.is_no_approved_plan(job, run.push, _ANY)


def _again(play: CiPlay) -> None:
    notes = play.setting.repository.clone / "REHEARSED.md"
    notes.write_text("Written by a rehearsal.\n", encoding="utf-8")
    message = "Nothing of the backend changed"
    play.deliver(play.push(message), message)
    for name in play.setting.owners:
        play.unchanged(name)
    play.look(list(play.setting.owners)[-1])
