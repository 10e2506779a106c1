"""Whether the pipeline's source can be read: a connection is finished by hand, and by nobody else."""

from __future__ import annotations

from dataclasses import dataclass

from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.doctor.place import Place


@dataclass(frozen=True)
class Connection:
    """A connection as CodeConnections tells it; `status` is empty if there is none."""

    arn: str
    status: str
    provider: str = ""


def judge(found: Connection, place: Place) -> Line:
    """Line `connection`."""
    region, account = found.arn.split(":")[3:5]
    page = f"https://{region}.console.aws.amazon.com/codesuite/settings/connections?region={region}"
    if account != place.account:
        return Line(
            "connection",
            "error",
            f"{found.arn} is of account {account}, and the pipeline's account is {place.account}",
            "a source action takes a connection of its own account: name one in `source.connection`",
        )
    if found.status == "AVAILABLE":
        return Line("connection", "ok", f"{found.provider or found.arn} is AVAILABLE")
    if not found.status:
        return Line(
            "connection",
            "error",
            f"there is no connection {found.arn}",
            f"make one and finish it in the console ({page}), and name it in `source.connection` of "
            f"Pulumi.{place.stack}.yaml",
        )
    said = {"PENDING": "waits to be finished by hand", "ERROR": "is in error"}.get(found.status, found.status)
    return Line(
        "connection",
        "error",
        f"{found.arn} {said}: the pipeline cannot read its repository",
        f"who may sign in to {found.provider or 'the provider'} finishes it in the console, `Update pending "
        f"connection`: {page}",
    )


@dataclass(frozen=True)
class Source:
    """A source of another kind: what it is, and whether it is as the pipeline needs it."""

    what: str
    there: bool
    wrong: str = ""


def other(found: Source, remedy: str) -> Line:
    """Line `source`: a secret with a token, a repository, a bucket."""
    if not found.there:
        return Line("source", "error", f"there is no {found.what}", remedy)
    if found.wrong:
        return Line("source", "error", f"{found.what} {found.wrong}", remedy)
    return Line("source", "ok", f"{found.what} is there")
