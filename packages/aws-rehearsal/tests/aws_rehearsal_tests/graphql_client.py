"""A client of the GraphQL APIs of a local AWS: requests with a key, a user's token, or a signature."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from aws_rehearsal_tests.local_account import LocalAccount

_PASSWORD = "Passw0rd!x"


@dataclass(frozen=True)
class Answered:
    """What a request was answered."""

    status: int
    body: dict[str, Any]

    @property
    def data(self) -> Any:
        """The data of an answer without errors."""
        assert self.body.get("errors") is None, self.body["errors"]
        return self.body["data"]

    @property
    def error(self) -> dict[str, Any]:
        """The only error."""
        (found,) = self.body["errors"]
        return dict(found)


@dataclass(frozen=True)
class GraphQLClient:
    """Asks the only API of an account."""

    account: LocalAccount
    api: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        (api,) = self.account.client("appsync").list_graphql_apis()["graphqlApis"]
        object.__setattr__(self, "api", api)

    @property
    def endpoint(self) -> str:
        """Where the API answers."""
        return str(self.api["uris"]["GRAPHQL"])

    def key(self) -> dict[str, str]:
        """Headers with the API's key."""
        (key,) = self.account.client("appsync").list_api_keys(apiId=self.api["apiId"])["apiKeys"]
        return {"x-api-key": key["id"]}

    def user(self, name: str, *groups: str) -> dict[str, str]:
        """Headers with the token of a new user of the only user pool."""
        cognito = self.account.client("cognito-idp")
        (pool,) = (p["Id"] for p in cognito.list_user_pools(MaxResults=10)["UserPools"])
        clients = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=10)["UserPoolClients"]
        client = next(c["ClientId"] for c in clients if "Web" in c["ClientName"])
        flow = "ADMIN_USER_PASSWORD_AUTH"
        cognito.update_user_pool_client(UserPoolId=pool, ClientId=client, ExplicitAuthFlows=[f"ALLOW_{flow}"])
        user = {"UserPoolId": pool, "Username": f"{name}@example.com"}
        cognito.admin_create_user(**user, MessageAction="SUPPRESS")
        cognito.admin_set_user_password(**user, Password=_PASSWORD, Permanent=True)
        for group in groups:
            cognito.admin_add_user_to_group(**user, GroupName=group)
        given = {"USERNAME": user["Username"], "PASSWORD": _PASSWORD}
        signed_in = cognito.admin_initiate_auth(UserPoolId=pool, ClientId=client, AuthFlow=flow, AuthParameters=given)
        return {"authorization": signed_in["AuthenticationResult"]["AccessToken"]}

    def ask(self, query: str, headers: dict[str, str], **variables: Any) -> Answered:
        """One operation."""
        return self._sent(self._body(query, variables), headers)

    def ask_signed(self, query: str, by: Any, **variables: Any) -> Answered:
        """One operation, signed with credentials of the account."""
        body = self._body(query, variables)
        key = Credentials(by.access_key_id, by.secret_access_key, by.session_token)
        request = AWSRequest("POST", self.endpoint, {"content-type": "application/json"}, body)
        SigV4Auth(key, "appsync", self.account.region).add_auth(request)
        return self._sent(body, dict(request.headers.items()))

    def _body(self, query: str, variables: dict[str, Any]) -> bytes:
        return json.dumps({"query": query, "variables": variables}).encode()

    def _sent(self, body: bytes, headers: dict[str, str]) -> Answered:
        place = urlsplit(self.endpoint)
        given = {"content-type": "application/json", **headers, "host": place.netloc}
        request = urllib.request.Request(f"http://127.0.0.1:{place.port}{place.path}", body, given)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answered(answer.status, json.load(answer))
        except urllib.error.HTTPError as refused:
            return Answered(refused.code, json.load(refused))
