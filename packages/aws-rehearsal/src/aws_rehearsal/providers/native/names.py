"""Property names of CloudFormation as Pulumi's programs have them.

`sdk_name` is `naming.ToSdkName` of pulumi-aws-native: words in camelCase, an initialism being one word (`KMSKeyId` is
`kmsKeyId`, `CallbackURLs` is `callbackUrls`), and `Id`, which Pulumi needs itself, is `awsId`.
"""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Z]+s(?=[A-Z0-9]|$)|[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+|[^A-Za-z0-9]+")


def sdk_name(name: str) -> str:
    """A resource's own property; Pulumi needs its `id` itself."""
    result = field_name(name)
    return "awsId" if result == "id" else result


def field_name(name: str) -> str:
    """A property of an object inside of a resource, where `Id` is just `id`."""
    words: list[str] = _WORDS.findall(name)
    return words[0].lower() + "".join(word[:1] + word[1:].lower() for word in words[1:])
