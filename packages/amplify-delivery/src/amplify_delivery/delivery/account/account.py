"""An AWS account with the credentials of a stack file or of a command, once it is sure whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from amplify_delivery.errors import ConfigError, DeployError
from amplify_delivery.publishing.credentials import client_config, provider_session

if TYPE_CHECKING:
    import boto3

    from amplify_delivery.stacks.config import EnvironmentConfig, PipelineConfig


class Account:
    """The 12 digits of `account`, in one region, with a profile's or a role's credentials.

    Raises `ConfigError` when they belong to another account, `DeployError` when AWS does not say whose they are.
    """

    def __init__(self, account: str, region: str, profile: str | None = None, role_arn: str | None = None) -> None:
        self.account, self.region = account, region
        try:
            self._session: boto3.session.Session = provider_session(region, profile, role_arn)
            who = self.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise self.refused(error, "asking whose credentials these are") from None
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

    def client(self, service: str) -> Any:
        return self._session.client(service, config=client_config())

    def environment(self) -> dict[str, str]:
        """Variables for a process that shall act with these credentials, whatever profile is set."""
        found = self._session.get_credentials().get_frozen_credentials()
        return {
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": found.access_key,
            "AWS_SECRET_ACCESS_KEY": found.secret_key,
            "AWS_SESSION_TOKEN": found.token or "",
            "AWS_PROFILE": "",
        }

    def refused(self, error: Exception, what: str) -> DeployError:
        """The error to raise when AWS refused `what`."""
        return DeployError(
            f"{what}: {error}",
            where=f"account {self.account} ({self.region})",
            remedy="check the credentials and their rights, then repeat the command",
        )
