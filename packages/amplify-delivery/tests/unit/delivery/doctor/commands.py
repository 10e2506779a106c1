"""Whether a command that is printed could be typed: of the AWS CLI by botocore's models, of ours by its parser."""

from __future__ import annotations

import re
import shlex

from botocore import xform_name
from botocore.session import get_session

from amplify_delivery.cli import COMMANDS, parser

_CLI_NAMES = {"s3api": "s3"}
_OWN_COMMANDS = {("configure", "sso"), ("sso", "login")}
_GLOBAL = {"region", "profile", "query", "output"}
_PULUMI = {"config", "install", "login", "plugin", "up", "version", "whoami"}
_OTHERS = {"export", "git", "pip", "pulumi", "sudo", "Update"}


def printed(text: str) -> list[str]:
    """The commands in a text: what stands between backticks and has a blank in it."""
    return [found for found in re.findall(r"`([^`]+)`", text) if " " in found]


def check(command: str) -> None:
    """Raise `AssertionError` for a command that there is not."""
    words = shlex.split(command)
    if words[0] == "aws":
        _aws(words[1:])
    elif words[0] == "amplify-delivery":
        assert words[1] in COMMANDS
        parser(words[1]).parse_args(words[1:])
    elif words[0] == "pulumi":
        assert words[1] in _PULUMI, command
    else:
        assert words[0] in _OTHERS, command


def _aws(words: list[str]) -> None:
    if tuple(words[:2]) in _OWN_COMMANDS:
        return
    model = get_session().get_service_model(_CLI_NAMES.get(words[0], words[0]))
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert words[1] in operations, words
    shape = model.operation_model(operations[words[1]]).input_shape
    members = {xform_name(name, "-") for name in shape.members} if shape else set()
    options = {word.removeprefix("--") for word in words[2:] if word.startswith("--")}
    assert options - _GLOBAL <= members, (words, options - _GLOBAL - members)
    required = {xform_name(name, "-") for name in shape.required_members} if shape else set()
    assert required <= options, (words, required - options)
