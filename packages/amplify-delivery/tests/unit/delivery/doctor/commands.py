"""Whether a command that is printed could be typed: of the AWS CLI by botocore's models, of ours by its parser."""

from __future__ import annotations

import itertools
import re
import shlex

from botocore import xform_name

from amplify_delivery.cli import COMMANDS, parser
from unit.aws_models import service_model

_CLI_NAMES = {"s3api": "s3"}
_OWN_COMMANDS = {("configure", "sso"), ("sso", "login")}
_GLOBAL = {"region", "profile", "query", "output"}
_PULUMI = (
    r"config set -s \S+ \S+ \S+",
    r"install",
    r"login (--local|\S+)",
    r"plugin install resource [a-z-]+ \d+\.\d+\.\d+",
    r"up -s \S+",
    r"version",
    r"whoami -v",
)
_SECRET = {"secret-string", "secret-binary", "password", "token"}
"""Options whose values are nobody else's to see: they are read from a file."""
_OTHERS = {"export", "git", "mkdir", "pip", "pulumi", "sudo", "Update"}


def printed(text: str) -> list[str]:
    """The commands in a text: what stands between backticks and has a blank in it."""
    return [found for found in re.findall(r"`([^`]+)`", text) if " " in found]


def check(command: str, region: str | None = None, profile: str | None = None) -> None:
    """Raise `AssertionError` for a command that there is not, or that a shell would take apart; of the AWS CLI also for
    one that does not name this region (or its partition's home) and this profile."""
    words = shlex.split(command)
    lexer = shlex.shlex(command, posix=True, punctuation_chars="&|;<>()")
    lexer.whitespace_split = True
    assert list(lexer) == words, f"a shell takes it apart: {command}"
    if words[0] == "aws":
        _aws(words[1:], region, profile)
    elif words[0] == "amplify-delivery":
        assert words[1] in COMMANDS
        parser(words[1]).parse_args(words[1:])
    elif words[0] == "pulumi":
        assert any(re.fullmatch(form, " ".join(words[1:])) for form in _PULUMI), command
    else:
        assert words[0] in _OTHERS, command


def _aws(words: list[str], region: str | None, profile: str | None) -> None:
    if tuple(words[:2]) in _OWN_COMMANDS:
        return
    model = service_model(_CLI_NAMES.get(words[0], words[0]))
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert words[1] in operations, words
    shape = model.operation_model(operations[words[1]]).input_shape
    members = {xform_name(name, "-") for name in shape.members} if shape else set()
    options = {word.removeprefix("--") for word in words[2:] if word.startswith("--")}
    assert options - _GLOBAL <= members, (words, options - _GLOBAL - members)
    given = dict(itertools.pairwise(words))
    assert region is None or given.get("--region") in (region, "us-east-1"), words
    assert profile is None or given.get("--profile") == profile, words
    for name in options & _SECRET:
        assert given[f"--{name}"].startswith("file://"), words
    if words[1] == "create-bucket":
        assert ("--create-bucket-configuration" in given) is (given["--region"] != "us-east-1"), words
    required = {xform_name(name, "-") for name in shape.required_members} if shape else set()
    assert required <= options, (words, required - options)
