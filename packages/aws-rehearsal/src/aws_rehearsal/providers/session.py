"""AWS clients for a configured provider, and the check of whose account they reach.

Plays `aws-sdk-go-base` and `ConfigureProvider` of terraform-provider-aws: credentials from the provider's
configuration, else from the environment; roles assumed one after the other; the account looked up through STS and
compared with `allowedAccountIds` and `forbiddenAccountIds` before anything else happens. Endpoints come from the
configuration, else from AWS_ENDPOINT_URL as botocore reads it.
"""

from __future__ import annotations

import functools
import os
import re
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aws_rehearsal.providers.config import ProviderConfig
from aws_rehearsal.providers.errors import ProviderError, aws_error

if TYPE_CHECKING:
    from botocore.session import Session

_ENDPOINT_KEYS = {
    "cloudcontrol": "cloudcontrol",
    "codestar-notifications": "codestarnotifications",
    "events": "eventbridge",
    "logs": "cloudwatchlogs",
}


class AwsSession:
    """Clients by service and region, each made once: making one costs tens of milliseconds."""

    def __init__(self, config: ProviderConfig) -> None:
        self.config = config
        self.region = _region(config)
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._session = _base_session(config)
        self._identity: dict[str, str] | None = None
        for role in config.roles:
            self._session = self._assume(role)

    def client(self, service: str, region: str | None = None) -> Any:
        key = (service, region or self.region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(*key)
            return self._clients[key]

    def _make(self, service: str, region: str) -> Any:
        from botocore.config import Config

        settings: dict[str, Any] = {"max_pool_connections": 32, "retries": {"mode": "standard", "max_attempts": 5}}
        if self.config.flag("s3UsePathStyle"):
            settings["s3"] = {"addressing_style": "path"}
        client = self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self.config.endpoint(_ENDPOINT_KEYS.get(service, service)),
            config=Config(**settings),
        )
        client.meta.events.register("after-call", functools.partial(_describe_error, client))
        # botocore makes a client's exception classes at its first error, without a lock: two threads that meet theirs
        # at once would have classes of two kinds, and `except client.exceptions.X` would let the other kind through.
        _ = client.exceptions
        return client

    def _assume(self, role: dict[str, Any]) -> Session:
        request: dict[str, Any] = {
            "RoleArn": role["roleArn"],
            "RoleSessionName": role.get("sessionName") or "rehearsal-provider",
        }
        if role.get("externalId"):
            request["ExternalId"] = role["externalId"]
        if role.get("policy"):
            request["Policy"] = role["policy"]
        if role.get("duration"):
            request["DurationSeconds"] = _seconds(str(role["duration"]))
        base = self._make("sts", self.config.text("stsRegion") or self.region)

        def assume() -> dict[str, str]:
            found = base.assume_role(**request)["Credentials"]
            return {
                "access_key": found["AccessKeyId"],
                "secret_key": found["SecretAccessKey"],
                "token": found["SessionToken"],
                "expiry_time": found["Expiration"].isoformat(),
            }

        from botocore.credentials import RefreshableCredentials

        try:
            # Assumed anew before it ends, as aws-sdk-go-base does (`stscreds.AssumeRoleProvider` in a cache).
            credentials = RefreshableCredentials.create_from_metadata(assume(), assume, method="assume-role")
        except Exception as error:
            raise ProviderError(
                f"Cannot assume IAM Role. IAM Role ({role['roleArn']}) cannot be assumed.\n\n"
                f"Error: {aws_error('', error)}".replace("Error: : ", "Error: "),
                "PERMISSION_DENIED",
            ) from error
        self._clients.clear()
        session = _new_session()
        vars(session)["_credentials"] = credentials  # botocore has no other way to give it such as renew themselves
        return session

    @property
    def identity(self) -> dict[str, str]:
        """What STS says about the caller: Account, Arn, UserId."""
        if self._identity is None:
            try:
                self._identity = self.client("sts", self.config.text("stsRegion")).get_caller_identity()
            except Exception as error:
                raise ProviderError(
                    "unable to validate AWS credentials.\n"
                    f"Details: Retrieving AWS account details: validating provider credentials: "
                    f"{aws_error('retrieving caller identity from STS', error)}",
                    "UNAUTHENTICATED",
                ) from error
        return self._identity

    @property
    def account(self) -> str:
        return self.identity["Account"]

    @property
    def partition(self) -> str:
        return (
            "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if self.region.startswith("us-gov-") else "aws"
        )

    def tags(self, tags: dict[str, str] | None) -> dict[str, str]:
        """A resource's own tags over the provider's default tags: what `tagsAll` shows and what is sent."""
        return {**self.config.default_tags, **(tags or {})}

    def own_tags(self, every: dict[str, str], configured: Mapping[str, Any] | None) -> dict[str, str]:
        """A resource's tags without the provider's default tags, unless the program repeats them."""
        defaults = self.config.default_tags
        return {key: value for key, value in every.items() if key in (configured or {}) or defaults.get(key) != value}


def _describe_error(client: Any, parsed: dict[str, Any], **_: Any) -> None:
    """Adds to an error response what `errors.aws_error` tells of it and botocore's exception does not carry."""
    error = parsed.get("Error")
    if error:
        about = parsed.setdefault("ResponseMetadata", {})
        about["ServiceId"] = client.meta.service_model.service_id
        about["Modelled"] = client.exceptions.from_code(error.get("Code", "")) is not client.exceptions.ClientError


def _new_session() -> Session:
    from botocore.session import Session

    session = Session()
    # Service models are parsed once per loader: one loader for all sessions of the process.
    session.register_component("data_loader", _loader())
    # And a service's exception classes are made of all shapes of its model.
    session._internal_components.register_component("exceptions_factory", _exceptions())
    return session


@functools.cache
def _loader() -> Any:
    from botocore.loaders import create_loader

    return create_loader()


@functools.cache
def _exceptions() -> Any:
    from botocore.errorfactory import ClientExceptionsFactory

    return ClientExceptionsFactory()


def load_models(services: Iterable[str]) -> None:
    """Read the documents that clients of these services are made from, load the modules, and make the classes of
    exceptions, once for all sessions.

    The client that does it, with nobody's credentials, calls nobody.
    """
    session = _new_session()
    session.set_credentials("nobody", "nobody")
    for service in services:
        _ = session.create_client(service, region_name="us-east-1").exceptions


def documents() -> dict[Any, Any]:
    """What `load_models` has read, as loaders of botocore keep it."""
    return dict(vars(_loader())["_cache"])


def _base_session(config: ProviderConfig) -> Session:
    if config.values.get("assumeRoleWithWebIdentity"):
        raise ProviderError("the stand-in does not play assumeRoleWithWebIdentity", "INVALID_ARGUMENT")
    session = _new_session()
    # As in the SDKs for Go: keys given explicitly win over a profile, a profile over the environment's keys.
    if config.text("profile"):
        session.set_config_variable("profile", config.text("profile"))
    for key, variable in (("sharedConfigFiles", "config_file"), ("sharedCredentialsFiles", "credentials_file")):
        if config.names(key):
            session.set_config_variable(variable, config.names(key)[0])
    if config.text("sharedCredentialsFile"):
        session.set_config_variable("credentials_file", config.text("sharedCredentialsFile"))
    if config.text("accessKey"):
        session.set_credentials(config.text("accessKey"), config.text("secretKey"), config.text("token"))
    elif config.text("profile"):
        if config.text("profile") not in session.available_profiles:
            # `SharedConfigProfileNotExistError` of the SDK for Go.
            raise ProviderError(
                "unable to validate AWS credentials.\n"
                f"Details: loading configuration: failed to get shared config profile, {config.text('profile')}",
                "UNAUTHENTICATED",
            )
        # botocore would prefer AWS_ACCESS_KEY_ID over a profile that was only set as a variable.
        session.get_component("credential_provider").remove("env")
    return session


def _region(config: ProviderConfig) -> str:
    region = config.text("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        session = _base_session(config)
        region = session.get_config_variable("region")
    if not region:
        raise ProviderError(
            "Missing required configuration variable `aws:region`: "
            "set it with `pulumi config set aws:region us-east-1` or the environment variable AWS_REGION",
            "INVALID_ARGUMENT",
        )
    return str(region)


def _seconds(duration: str) -> int:
    """A Go duration (`1h30m`) in seconds."""
    units = {"h": 3600, "m": 60, "s": 1}
    parts = re.findall(r"(\d+)([hms])", duration)
    if not parts:
        raise ProviderError(f"assumeRoles: cannot parse duration {duration!r}", "INVALID_ARGUMENT")
    return sum(int(number) * units[unit] for number, unit in parts)
