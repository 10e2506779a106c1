"""A user pool may invoke a trigger only where the function's own policy lets it in.

MiniStack runs the function of a trigger whatever its policy says.
AWS: Cognito developer guide, "Customizing user pool workflows with Lambda triggers": who sets a trigger by the API adds
a permission with the pool as the source's ARN. Without it the call ends with UnexpectedLambdaException, "PreSignUp
invocation failed due to error AccessDeniedException." (service-workbench-on-aws issue 1136, sst issue 4421).

What stays different: the triggers that MiniStack runs are PreSignUp, CustomMessage, PreTokenGeneration and those of
custom challenges; and the hosted pages' own errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import cognito

from . import _rights
from ._expect import expect, replace

_SERVICE = "cognito-idp.amazonaws.com"
_TRIGGERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("_apply_presignup_trigger", "PreSignUp", ("pool_id", "client_id", "username", "user_attrs")),
    ("_apply_custom_message_trigger", "CustomMessage", ("pool", "trigger_source", "username", "user_attrs")),
    ("_apply_pretoken_trigger", "PreTokenGeneration", ("pool_id", "claims", "token_type", "trigger_source")),
    ("_invoke_define_auth_challenge_trigger", "DefineAuthChallenge", ("pool_id", "client_id", "username")),
    ("_invoke_create_auth_challenge_trigger", "CreateAuthChallenge", ("pool_id", "client_id", "username")),
    ("_invoke_verify_auth_challenge_trigger", "VerifyAuthChallengeResponse", ("pool_id", "client_id", "username")),
)
"""MiniStack's function, the trigger that it invokes, and its first parameters; the pool, or its id, is the first."""


class _NotLetInError(Exception):
    """A function whose policy does not let the pool in."""


def apply() -> None:
    """Look at the function's policy before each trigger, and end the call where that does not let the pool in."""
    for name, trigger, parameters in _TRIGGERS:
        replace(name, _asked(expect(cognito, name, *parameters), trigger), cognito)
    answer = expect(cognito, "_run_idp_handler", "handler", "action", "data")

    def run(handler: Any, action: str, data: dict[str, Any]) -> Any:
        def handled(*arguments: Any) -> Any:
            try:
                return handler(*arguments)
            except _NotLetInError as error:
                return error_response_json("UnexpectedLambdaException", str(error), 400)

        return answer(handled, action, data)

    replace("_run_idp_handler", run, cognito)


def _asked(original: Callable[..., Any], trigger: str) -> Callable[..., Any]:
    def invoke(*arguments: Any, **named: Any) -> Any:
        given = arguments[0] if arguments else named.get("pool_id") or named.get("pool")
        pool = (given if isinstance(given, dict) else cognito._user_pools.get(given)) or {}
        for function in _functions(pool, trigger):
            source = f"arn:aws:cognito-idp:{get_region()}:{get_account_id()}:userpool/{pool['Id']}"
            if not _rights.lets_in(_SERVICE, "lambda:InvokeFunction", function, source):
                raise _NotLetInError(f"{trigger} invocation failed due to error AccessDeniedException.")
        return original(*arguments, **named)

    return invoke


def _functions(pool: dict[str, Any], trigger: str) -> Iterable[str]:
    """The function of a trigger, if the pool has one; of the tokens' the newer form, where both are there."""
    triggers = pool.get("LambdaConfig") or {}
    newer = (triggers.get(f"{trigger}Config") or {}).get("LambdaArn")
    found = newer or triggers.get(trigger)
    return (str(found),) if found else ()


def probe(aws: Any) -> bool:
    """A pool whose trigger is a function without a policy lets nobody sign up."""
    service = "AWSCognitoIdentityProviderService"
    function = f"arn:aws:lambda:us-east-1:{aws.owner.account}:function:{aws.name('trigger')}"
    made = aws.json(
        aws.owner,
        "cognito-idp",
        f"{service}.CreateUserPool",
        PoolName=aws.name("triggered"),
        LambdaConfig={"PreSignUp": function},
    )
    pool = made["UserPool"]["Id"]
    client = aws.json(aws.owner, "cognito-idp", f"{service}.CreateUserPoolClient", UserPoolId=pool, ClientName="probe")[
        "UserPoolClient"
    ]["ClientId"]
    user = {"Username": "ann", "Password": "Passw0rd!x"}
    said = aws.refusal(lambda: aws.json(aws.owner, "cognito-idp", f"{service}.SignUp", ClientId=client, **user))
    return "AccessDeniedException" in said
