"""The boto3 session of a stack's provider: its profile, its region, its role."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from amplify_delivery.publishing import calls
from amplify_delivery.publishing.target import PublishTarget

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config

# boto3 is imported where it is used: a program in which nothing is published should not pay for it.

SESSION_NAME = "amplify-delivery"
"""Name of assumed roles' sessions, as it stands in CloudTrail."""

RETRIES: Any = {"mode": "standard", "total_max_attempts": 6}
"""Throttling (SlowDown) and broken connections are tried again by botocore, with its growing pauses."""

_ISO_8601 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")
"""How CloudFormation, IAM, STS and S3 write a time."""

_LOADER = "data_loader"
"""botocore's name of what reads the services' descriptions."""
_shared: list[Any] = []
"""The first session's."""


def provider_session(region: str, profile: str | None = None, role_arn: str | None = None) -> boto3.session.Session:
    """A session with the very credentials a Pulumi provider of (profile, region, role) uses.

    With `role_arn` the role is assumed here, for an hour each time, and again before that ends: a deployment may take
    longer. Raises botocore's errors.
    """
    session = _session(profile_name=profile, region_name=region)
    return session if role_arn is None else _assuming(session, role_arn, region)


def _assuming(session: boto3.session.Session, role_arn: str, region: str) -> boto3.session.Session:
    from botocore.credentials import RefreshableCredentials  # noqa: PLC0415

    def assume() -> dict[str, str]:
        sts = session.client("sts", config=client_config())
        return _refreshable(sts.assume_role(RoleArn=role_arn, RoleSessionName=SESSION_NAME)["Credentials"])

    credentials = RefreshableCredentials.create_from_metadata(assume(), assume, method="assume-role")
    return _session(region, credentials)


def token_session(role_arn: str, region: str, token: Callable[[], str]) -> boto3.session.Session:
    """A session of a role that lets in whoever has a token of an OIDC provider: for an hour each time, and again with
    the token that there is then. Raises botocore's errors, and what `token` raises."""
    from botocore.credentials import RefreshableCredentials  # noqa: PLC0415

    def assume() -> dict[str, str]:
        return with_token(role_arn, region, token())

    credentials = RefreshableCredentials.create_from_metadata(assume(), assume, method="assume-role-with-web-identity")
    return _session(region, credentials)


def with_token(role_arn: str, region: str, token: str) -> dict[str, str]:
    """A session's credentials as botocore's refreshable ones want them, for an hour. Raises botocore's errors."""
    from botocore import UNSIGNED  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    # Nobody's: to look for others could be to ask the very process that asks here.
    nobody = _session(region, Credentials("", ""))
    sts = nobody.client("sts", config=client_config().merge(Config(signature_version=UNSIGNED)))
    answer = sts.assume_role_with_web_identity(RoleArn=role_arn, RoleSessionName=SESSION_NAME, WebIdentityToken=token)
    return _refreshable(answer["Credentials"])


def _refreshable(assumed: Mapping[str, Any]) -> dict[str, str]:
    return {
        "access_key": assumed["AccessKeyId"],
        "secret_key": assumed["SecretAccessKey"],
        "token": assumed["SessionToken"],
        "expiry_time": assumed["Expiration"].isoformat(),
    }


def of_profile(profile: str) -> dict[str, str]:
    """Variables for a process that should find the credentials of this profile by itself, and renew them: a step may
    take longer than they last. Keys and tokens among the variables would go before a profile that these name
    ("Configure the AWS SDK for Go v2", credentials): there are none then."""
    return {
        "AWS_PROFILE": profile,
        **dict.fromkeys(
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"), ""
        ),
    }


def session_of(
    variables: Mapping[str, str], region: str | None = None, profile: str | None = None
) -> boto3.session.Session:
    """A session with the credentials that these variables hold, or of the profile that they name; without such ones as
    every SDK finds them. All but the first renew themselves."""
    key = variables.get("AWS_ACCESS_KEY_ID")
    if not key:
        named = profile or variables.get("AWS_PROFILE") or None
        return _session(profile_name=named, region_name=region or variables.get("AWS_REGION"))
    return _session(
        aws_access_key_id=key,
        aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=variables.get("AWS_SESSION_TOKEN") or None,
        region_name=region or variables.get("AWS_REGION"),
    )


def _session(region_name: str | None = None, credentials: Any = None, **settings: str | None) -> boto3.session.Session:
    """A session like any other, except that all of a process share what is read of the services' descriptions: a
    command asks with several sessions, and reads 3 MB of JSON for each otherwise (0.1 s)."""
    import boto3  # noqa: PLC0415
    from botocore.session import get_session  # noqa: PLC0415

    core = get_session()
    if _shared:
        core.register_component(_LOADER, _shared[0])
    else:
        _shared.append(core.get_component(_LOADER))
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=timestamp)
    calls.watch(core)
    if credentials is not None:
        vars(core)["_credentials"] = credentials  # botocore has no other way to give it such as renew themselves
    return boto3.session.Session(botocore_session=core, region_name=region_name, **settings)


def timestamp(written: Any) -> datetime:
    """As `botocore.utils.parse_timestamp`, which has dateutil find out the form of each: each resource of each stack
    has one, and a command that reads a backend meets thousands. Raises ValueError."""
    if isinstance(written, str) and _ISO_8601.fullmatch(written):
        return datetime.fromisoformat(written)
    from botocore.utils import parse_timestamp  # noqa: PLC0415

    parsed: datetime = parse_timestamp(written)
    return parsed


def target_session(target: PublishTarget) -> boto3.session.Session:
    """`provider_session` of a publish target."""
    return provider_session(target.region, target.profile, target.role_arn)


def clients(target: PublishTarget) -> Callable[[str], Any]:
    """What gives a client of a service with the credentials of the target's own provider. Raises `PublishError` when
    there are none."""
    from amplify_delivery.publishing.refusals import refusals  # noqa: PLC0415

    with refusals(target, "connecting"):
        session = target_session(target)
    return lambda service: session.client(service, config=client_config())


def ca_bundle(session: boto3.session.Session) -> str | bool:
    """What certificates of servers are compared with: the file that AWS's configuration names, else the usual ones."""
    core: Any = vars(session)["_session"]  # boto3 has no other way to ask
    return core.get_config_variable("ca_bundle") or True


def client_config(connections: int = 10) -> Config:
    """The client settings of all our calls: retries, and enough connections for what is in flight."""
    from botocore.config import Config  # noqa: PLC0415

    return Config(retries=RETRIES, max_pool_connections=connections, user_agent_extra="amplify-delivery")
