"""Coming into an environment's account, as a job of a CI or with the stack file's credentials."""

from __future__ import annotations

from collections.abc import Mapping

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.account.remote import tokens
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import Refusal, suppressing_all
from amplify_delivery.publishing.credentials import token_session
from amplify_delivery.stacks.config import EnvironmentConfig

_NOT_LET_IN = ("AccessDenied", "InvalidIdentityToken", "ExpiredTokenException")


def account(config: EnvironmentConfig, names: EnvironmentNames, role: str, variables: Mapping[str, str]) -> Account:
    """The account with the rights of the CI's role for `role`, one of `naming.CI_ROLES`. Raises `RefusedError` for a
    job that is not let in, with what its token says, and `ConfigError`."""
    source = tokens.source(variables, f"sts.{names.dns_suffix}")
    if source is None:
        return Account.of(config)
    fetched = [""]

    def fetch() -> str:
        fetched[0] = source.fetch()
        return fetched[0]

    with suppressing_all() as refusal:
        session = token_session(names.ci_role_arn(role), names.region, fetch)
        return Account(names.account, names.region, session=session)
    remedy = (
        "compare with `github` or `gitlab` in its account's stack file, and `amplify-delivery bootstrap "
        f"{names.environment}` (docs/ci.md)"
    )
    raise not_let_in(refusal, source, fetched[0], names.ci_role_arn(role), remedy)


def not_let_in(refusal: Refusal, source: tokens.Source, token: str, role_arn: str, remedy: str) -> RefusedError:
    """What AWS has answered to a job's token, with what that says."""
    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    if refusal.code not in _NOT_LET_IN:
        return RefusedError(f"AWS does not answer: {refusal.said}", where=role, remedy="try again")
    return RefusedError(
        f"{account} does not let this job of {source.ci} in ({tokens.told(token)}): {refusal.said}",
        where=role,
        remedy=f"{remedy}; nothing was changed",
    )
