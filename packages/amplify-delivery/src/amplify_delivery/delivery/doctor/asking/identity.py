"""Whose credentials there are, what time AWS has, and whether the region is enabled: STS, Account Management, EC2."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from amplify_delivery.delivery.doctor.asking.clients import Clients, NotKnownError, asking, not_known
from amplify_delivery.delivery.doctor.judging.caller import Caller, NoCaller
from amplify_delivery.delivery.doctor.judging.clock import Times
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing, suppressing_all

_LOGIN = "log in, or set AWS_PROFILE (docs/getting-started.md, AWS credentials), then repeat the command"
_UNKNOWN = ("InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure")
"""What AWS says in a region that the account has not enabled, of credentials that are good elsewhere."""


def caller(place: Place) -> tuple[Clients | None, Caller | NoCaller]:
    """Who asks. The clients are there for whoever is known, of whatever account."""
    with suppressing_all() as refusal:
        clients = Clients(place)
        return clients, _identity(clients, place)
    return None, NoCaller(refusal.said, refusal.remedy(_LOGIN))


def _identity(clients: Clients, place: Place) -> Caller:
    def asked(region: str) -> Caller:
        found = clients.client("sts", region).get_caller_identity()
        return Caller(str(found["Account"]), str(found["Arn"]))

    with suppressing(*_UNKNOWN if place.home != place.region else ()):
        return asked(place.region)
    # Whether it is the region that is wrong, the line `region` tells.
    return asked(place.home)


def times(place: Place) -> Times:
    """AWS's time and this machine's, without credentials: also where the clock is why they are refused."""
    with suppressing_all() as refusal:
        answer = Clients(place).unsigned("sts").get_caller_identity()
        theirs: str | None = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if refusal:
        theirs = refusal.answered_at
        if theirs is None:
            raise not_known(refusal, "check the network, and repeat it")
    ours = datetime.now(UTC)
    if theirs is None:
        raise NotKnownError("AWS's answer has no time in it", remedy="repeat the command")
    return Times(parsedate_to_datetime(theirs), ours)


def region_status(clients: Clients, place: Place) -> str:
    """What Account Management says of the region, else what EC2 says."""
    with asking("account:GetRegionOptStatus"), suppressing(*ACCESS_DENIED):
        found = clients.client("account", place.home).get_region_opt_status(RegionName=place.region)
        return str(found["RegionOptStatus"])
    with asking("account:GetRegionOptStatus"):
        ec2 = clients.client("ec2", place.home)
        (found,) = ec2.describe_regions(RegionNames=[place.region], AllRegions=True)["Regions"]
        return str(found["OptInStatus"])
