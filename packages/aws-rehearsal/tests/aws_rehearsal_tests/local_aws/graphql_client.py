"""A client of the GraphQL APIs of a local AWS: requests with a key, a user's token, or a signature."""

from __future__ import annotations

import base64
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
        return {"authorization": self.signed_in(name, *groups)["AccessToken"]}

    def identity(self, name: str) -> Any:
        """Credentials that the only identity pool gives a new user of the only user pool."""
        cognito = self.account.client("cognito-identity")
        (pool,) = (p["IdentityPoolId"] for p in cognito.list_identity_pools(MaxResults=10)["IdentityPools"])
        token = self.signed_in(name)["IdToken"]
        issuer = json.loads(base64.urlsafe_b64decode(f"{token.split('.')[1]}=="))["iss"]
        login = {"Logins": {issuer.removeprefix("https://"): token}}
        found = cognito.get_id(IdentityPoolId=pool, **login)["IdentityId"]
        given = cognito.get_credentials_for_identity(IdentityId=found, **login)["Credentials"]
        return Credentials(given["AccessKeyId"], given["SecretKey"], given["SessionToken"])

    def signed_in(self, name: str, *groups: str) -> dict[str, Any]:
        """The tokens of a new user, as a visitor signs in: without an account, by the pool's client."""
        cognito = self.account.client("cognito-idp")
        (pool,) = (p["Id"] for p in cognito.list_user_pools(MaxResults=10)["UserPools"])
        clients = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=10)["UserPoolClients"]
        client = next(c["ClientId"] for c in clients if "Web" in c["ClientName"])
        flow = "USER_PASSWORD_AUTH"
        cognito.update_user_pool_client(UserPoolId=pool, ClientId=client, ExplicitAuthFlows=[f"ALLOW_{flow}"])
        user = {"UserPoolId": pool, "Username": f"{name}@example.com"}
        cognito.admin_create_user(**user, MessageAction="SUPPRESS")
        cognito.admin_set_user_password(**user, Password=_PASSWORD, Permanent=True)
        for group in groups:
            cognito.admin_add_user_to_group(**user, GroupName=group)
        given = {"USERNAME": user["Username"], "PASSWORD": _PASSWORD}
        signed_in = cognito.initiate_auth(ClientId=client, AuthFlow=flow, AuthParameters=given)
        return dict(signed_in["AuthenticationResult"])

    def ask(self, query: str, headers: dict[str, str], **variables: Any) -> Answered:
        """One operation."""
        return self._sent(self._body(query, variables), headers)

    def ask_signed(self, query: str, by: Credentials, **variables: Any) -> Answered:
        """One operation, signed with credentials of the account."""
        body = self._body(query, variables)
        request = AWSRequest("POST", self.endpoint, {"content-type": "application/json"}, body)
        SigV4Auth(by, "appsync", self.account.region).add_auth(request)
        return self._sent(body, dict(request.headers.items()))

    def _body(self, query: str, variables: dict[str, Any]) -> bytes:
        return json.dumps({"query": query, "variables": variables}).encode()

    def _sent(self, body: bytes, headers: dict[str, str]) -> Answered:
        place = urlsplit(self.endpoint)
        given = {"content-type": "application/json", **headers, "host": place.netloc}
        request = urllib.request.Request(f"http://127.0.0.1:{place.port}{place.path}", body, given)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return Answered(answer.status, json.load(answer))
        except urllib.error.HTTPError as refused:
            return Answered(refused.code, json.load(refused))
