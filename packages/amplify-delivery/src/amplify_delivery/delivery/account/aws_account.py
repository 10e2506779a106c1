"""An AWS account with the credentials of a stack file or of a command, once it is sure whose they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from amplify_delivery.errors import ConfigError, DeployError, FailedError, RefusedError, always
from amplify_delivery.publishing.aws_errors import may_be_done, suppressing, told_as
from amplify_delivery.publishing.credentials import client_config, of_profile, provider_session
from amplify_delivery.publishing.target import cli_options

if TYPE_CHECKING:
    import boto3

    from amplify_delivery.stacks.config import EnvironmentConfig, PipelineConfig

_AT_ONCE = 10
"""How many parameters a call gets ("GetParameters" in the Systems Manager API reference)."""

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Parameter:
    """A parameter of SSM. `version` counts how often it was written, with the same value as well."""

    value: str
    version: int


class Account:
    """The 12 digits of `account`, in one region, with a profile's or a role's credentials, which renew themselves.

    Raises `ConfigError` when they belong to another account, `RefusedError` when AWS does not say whose they are.
    """

    def __init__(
        self,
        account: str,
        region: str,
        profile: str | None = None,
        role_arn: str | None = None,
        *,
        session: boto3.session.Session | None = None,
    ) -> None:
        self.account, self.region, self._profile = account, region, profile
        self._found_by_all = role_arn is None and session is None
        self._clients: dict[tuple[str, str], Any] = {}
        with self.asking("asking whose credentials these are"):
            self._session: boto3.session.Session = session or provider_session(region, profile, role_arn)
            who = self.client("sts").get_caller_identity()
        if who["Account"] != account:
            raise ConfigError(
                f"the credentials belong to account {who['Account']} ({who['Arn']}), not to {account}",
                where=f"account {account}",
                remedy="use a profile or role of that account; nothing was changed",
            )

    @classmethod
    def of(cls, config: EnvironmentConfig | PipelineConfig) -> Account:
        """That of a stack file, with the credentials that it names."""
        return cls(config.account, config.region, config.profile, config.role_arn)

    def at(self, region: str) -> Account:
        """The same account, in another region."""
        other = copy(self)
        other.region = region
        return other

    def client(self, service: str) -> Any:
        """A boto3 client of the account, in its region, with our timeouts and retries: one for all who ask, since
        making it takes 10 ms, and its first call a connection."""
        key = service, self.region
        if key not in self._clients:
            self._clients[key] = self._session.client(service, region_name=self.region, config=client_config())
        return self._clients[key]

    def parameter(self, name: str) -> str | None:
        """The value of a parameter of SSM; None if there is none. Raises `RefusedError`."""
        ssm = self.client("ssm")
        with self.asking(f"reading {name}"), suppressing("ParameterNotFound"):
            return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
        return None

    def parameters(self, names: Sequence[str]) -> dict[str, Parameter]:
        """Those of these parameters of SSM that there are, with a call for ten. Raises `RefusedError`."""
        ssm, found = self.client("ssm"), dict[str, Parameter]()
        for at in range(0, len(names), _AT_ONCE):
            with self.asking(f"reading {names[at].rpartition('/')[0]}"):
                answer = ssm.get_parameters(Names=list(names[at : at + _AT_ONCE]))["Parameters"]
            found |= {p["Name"]: Parameter(str(p["Value"]), int(p["Version"])) for p in answer}
        return found

    def environment(self) -> dict[str, str]:
        """Variables for a process that should act with these credentials, whatever profile is set.

        It finds and renews them by itself, except those of a role that was assumed here: they are given as they are
        now, for a short command that begins at once, since nobody can renew them then.
        """
        if self._found_by_all:
            return {"AWS_REGION": self.region, **(of_profile(self._profile) if self._profile else {})}
        found = self._session.get_credentials().get_frozen_credentials()
        return {
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": found.access_key,
            "AWS_SECRET_ACCESS_KEY": found.secret_key,
            "AWS_SESSION_TOKEN": found.token or "",
            "AWS_PROFILE": "",
        }

    @property
    def profile(self) -> str | None:
        """The profile that its credentials are a stack file's by; None: none is named."""
        return self._profile

    @property
    def options(self) -> str:
        """What an `aws` command takes to ask the same account, for a message."""
        return cli_options(self.region, self._profile)

    @property
    def place(self) -> str:
        """For an error."""
        return f"account {self.account} ({self.region})"

    def asking(self, what: str, remedies: Mapping[str, str] = _NONE) -> AbstractContextManager[None]:
        """Raise `RefusedError` for whatever AWS refuses in the block, which only reads; `what` is being done.
        `remedies` are for codes that mean something special there."""
        return told_as(RefusedError, what, self.place, remedies)

    def changing(
        self, what: str, remedies: Mapping[str, str] = _NONE, begun: Callable[[], bool] = always
    ) -> AbstractContextManager[None]:
        """Raise `FailedError` for whatever AWS refuses in the block, which has changed something by then, perhaps;
        `RefusedError` if nothing had `begun`, and AWS's answer says that it did nothing either."""

        def kind(error: Exception) -> type[DeployError]:
            return FailedError if begun() or may_be_done(error) else RefusedError

        return told_as(kind, what, self.place, remedies)
