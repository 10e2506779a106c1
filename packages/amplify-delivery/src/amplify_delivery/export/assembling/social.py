"""Social sign-in whose client secrets are not in the export.

`amplify push` keeps the secrets of the providers (Facebook, Google, Amazon, Apple) out of the files that it writes, and
reads them from the deployment that is there; an export of a checkout without them holds `[]`. The function that makes
the providers then makes none, and the app client, which lists them, cannot be made: "The provider Facebook does not
exist for User Pool". A stack that is there has its providers, and keeps them: with `[]` that function does nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from amplify_delivery.export.model import ExportedStack
from amplify_delivery.export.templates.exported import Bound
from amplify_delivery.export.templates.literals import text
from amplify_delivery.export.values.parameters import holds_secret, is_no_echo, secret_command
from amplify_delivery.findings import Finding, listed

CREDENTIALS = "hostedUIProviderCreds"
_PROVIDERS = "hostedUIProviderMeta"
_FIELDS = {"SignInWithApple": ("client_id", "team_id", "key_id", "private_key")}
"""What the function wants to know of a provider; of the others, `client_id` and `client_secret`."""


def without_secrets(root: ExportedStack) -> Iterator[Bound]:
    """What environments have to supply before they are created."""
    for name, stack in root.nested.items():
        declaration, given = stack.declared.get(CREDENTIALS), stack.parameters.get(CREDENTIALS)
        if declaration is None or given is None or not is_no_echo(declaration):
            continue  # one that nobody supplies at all is AD304's
        providers = providers_of(stack)
        if providers and not holds_secret(text(given)):
            message = f"the client secrets of {listed(providers)} are not in the export: {name} could not be created"
            remedy = (
                f"give each new environment {name}.{CREDENTIALS}, {secret_command(name, CREDENTIALS)}; "
                f"its form is {form(providers)}"
            )
            yield Bound(Finding("AD311", "warning", stack.file, message, remedy), stack=name, parameter=CREDENTIALS)


def providers_of(stack: ExportedStack) -> list[str]:
    """The names of the providers in the JSON of a manifest; none if it is no such list."""
    try:
        found = json.loads(text(stack.parameters.get(_PROVIDERS, "")) or "[]")
    except ValueError:
        return []
    entries = found if isinstance(found, list) else []
    return [e["ProviderName"] for e in entries if isinstance(e, dict) and isinstance(e.get("ProviderName"), str)]


def form(providers: Collection[str], value: str = "...") -> str:
    """The JSON that the parameter takes, with `value` for each secret."""
    wanted = [
        {"ProviderName": name, **dict.fromkeys(_FIELDS.get(name, ("client_id", "client_secret")), value)}
        for name in providers
    ]
    return json.dumps(wanted, separators=(",", ":"))
