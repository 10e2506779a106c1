"""The chapters: accounts that let the jobs in, a first release through them, and one that changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from amplify_delivery.components.documents.naming import DEPLOY, PLAN
from amplify_delivery_rehearsal.ci_story.play import CiPlay
from amplify_delivery_rehearsal.pipeline_story.own import MadeUp, Secret, by_account, give_secrets

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
        CiChapter("The first run", "The jobs that the push starts, with each approval given.", _first_run),
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
    repository = play.setting.repository
    run = play.deliver(repository.head, "First delivery")
    for name in play.setting.owners:
        play.touched(name, play.assembly)
    for job in run.jobs:
        # Whoever plans cannot deploy: an approval stands between the two.
        if job.signs and not job.environment:
            last = list(play.setting.owners)[-1]
            play.is_refused(job, run.push, "start", last, "deploy", "--digest", _ANY, "--plan", _ANY)
            break


def _again(play: CiPlay) -> None:
    notes = play.setting.repository.clone / "REHEARSED.md"
    notes.write_text("Written by a rehearsal.\n", encoding="utf-8")
    message = "Nothing of the backend changed"
    play.deliver(play.push(message), message)
    for name in play.setting.owners:
        play.unchanged(name)
    play.look(list(play.setting.owners)[-1])
