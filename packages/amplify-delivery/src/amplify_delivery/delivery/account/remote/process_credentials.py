"""Credentials of a CI's job for whatever runs in it, as `credential_process` of AWS's configuration wants them.

A token in a file (`AWS_WEB_IDENTITY_TOKEN_FILE`) would do for minutes: GitHub's live for five, and every process that
begins later, and each of them after an hour, exchanges the token again. Asked through this, each gets a session of an
hour by a token that is valid then, for as long as the job lasts ("Source credentials with an external process" in the
AWS CLI's user guide; all SDKs take it, the engine's too).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from amplify_delivery.components.names import dns_suffix
from amplify_delivery.delivery.account.remote import tokens, visiting
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.publishing.aws_errors import suppressing_all
from amplify_delivery.publishing.credentials import with_token

_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


def credentials(role_arn: str, variables: Mapping[str, str]) -> Mapping[str, object]:
    """The document that `credential_process` prints: a session of the role by the job's token. Raises `RefusedError`
    for a job that is not let in or has no token, and `ConfigError`."""
    region = next((variables[name] for name in _REGIONS if variables.get(name)), "")
    if not region or role_arn.count(":") < 5:
        raise ConfigError(
            f"{role_arn!r} is not the ARN of a role" if region else "no region is named",
            where="--role" if region else "AWS_REGION",
            remedy="the role is arn:aws:iam::ACCOUNT:role/NAME, the region stands in AWS_REGION; nothing was changed",
        )
    source = tokens.source(variables, f"sts.{dns_suffix(region)}")
    if source is None:
        raise RefusedError(
            "there is no token of a CI here",
            where=shlex.quote(role_arn),
            remedy="this is for jobs of GitHub Actions with `id-token: write`, or of GitLab CI with `id_tokens` "
            f"({tokens.TOKEN_VARIABLE}); nothing was changed",
        )
    token = source.fetch()
    with suppressing_all() as refusal:
        session = with_token(role_arn, region, token)
        return {
            "Version": 1,
            "AccessKeyId": session["access_key"],
            "SecretAccessKey": session["secret_key"],
            "SessionToken": session["token"],
            "Expiration": session["expiry_time"],
        }
    raise visiting.not_let_in(refusal, source, token, role_arn, "compare the role's trust policy (docs/previews.md)")
