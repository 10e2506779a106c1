"""What the programs of others take, as far as pages and messages use them: kept short, so what is new is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HIDDEN = "\0"
"""Stands for what a message puts in: any word, or several."""
PLACEHOLDER = re.compile(rf"[A-Z][A-Z0-9_-]*|.*(?:\$|\.\.\.|{HIDDEN}).*", re.S)


class NotTakenError(Exception):
    """A command that its program would not take, and why."""


@dataclass(frozen=True)
class Takes:
    """What a command takes: how many words, which options with a value and which without."""

    least: int = 0
    most: float = 0
    flags: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()

    def check(self, words: Sequence[str], *, whole: bool) -> tuple[str, ...]:
        """The words that are no options. `whole`: as it is to be typed, not only named in a sentence."""
        given: list[str] = []
        rest = iter(words)
        for word in rest:
            if word == "--":
                given += rest
            elif not word.startswith("-") or word == "-":
                given.append(word)
            else:
                self._option(word, rest, whole=whole)
        hidden = any(HIDDEN in word for word in given)
        if len([word for word in given if word != HIDDEN]) > self.most:
            raise NotTakenError(f"one word too many: {given[-1]}")
        if whole and len(given) < self.least and not hidden:
            raise NotTakenError(f"{self.least - len(given)} words too few")
        return tuple(given)

    def _option(self, word: str, rest: Iterator[str], *, whole: bool) -> None:
        name, equals, value = word.partition("=")
        if name in self.flags and (not equals or value in ("true", "false")):
            return
        if name in self.valued:
            if not equals and next(rest, None) is None and whole:
                raise NotTakenError(f"{name} without its value")
            return
        if not name.startswith("--") and name[:2] in self.valued and len(name) > 2:  # -n4
            return
        if not name.startswith("--") and len(name) > 2 and f"-{name[1]}" in self.flags:  # -qm: -q and -m
            self._option(f"-{name[2:]}", rest, whole=whole)
            return
        raise NotTakenError(f"no option {name}")


def takes(text: str, least: int = 0, most: float | None = None) -> Takes:
    """`-q --out=`: an option with `=` has a value."""
    options = text.split()
    valued = frozenset(option[:-1] for option in options if option.endswith("="))
    return Takes(least, least if most is None else most, frozenset(options) - {f"{o}=" for o in valued}, valued)


ANY = float("inf")
_INSTALLED = "--quiet --no-compile --no-deps --require-hashes --force-reinstall --no-index -r="
OF_A_COMMAND: dict[str, dict[str, Takes]] = {
    "git": {
        "add": takes("--all --force", 0, ANY),
        "archive": takes("", 0, ANY),
        "branch": takes("-a"),
        "cat-file": takes(""),
        "check-ref-format": takes(""),
        "checkout": takes("", 1, ANY),
        "commit": takes("--all -q --message= -m="),
        "diff": takes("", 0, ANY),
        "fetch": takes("--unshallow --refetch", 0, 2),
        "fsck": takes(""),
        "init": takes("-q"),
        "lfs": takes("", 1, 3),
        "log": takes("-p", 0, ANY),
        "ls-tree": takes(""),
        "push": takes("", 0, 2),
        "rm": takes("", 1, ANY),
        "show": takes("", 1),
        "tag": takes("", 0, 1),
    },
    "amplify": {
        **{name: takes("", 0, 1) for name in ("add", "import", "override", "remove", "update")},
        **{name: takes("") for name in ("delete", "drift", "pull", "push", "status")},
        "env add": takes(""),
        "env checkout": takes("", 1),
        "env remove": takes("", 1),
        "export": takes("--out="),
        "export pull": takes("--rootStackName= --frontend= --out="),
        "gen2-migration": takes(""),
        "gen2-migration assess": takes(""),
        "gen2-migration decommission": takes(""),
        "gen2-migration lock": takes("--rollback"),
        "gen2-migration refactor": takes("--rollback"),
        "init": takes("--permissions-boundary="),
    },
    "npm": {
        "ci": takes(""),
        "install": takes("--save-dev", 0, ANY),
        "run": takes("", 1),
        "test": takes(""),
    },
    "pip": {"check": takes(""), "install": takes(_INSTALLED, 0, ANY)},
    "pipx": {
        "inject": takes("--pip-args=", 2, ANY),
        "install": takes("--pip-args= --force", 1),
        "run": takes("--pip-args= --spec=", 1, ANY),
        "upgrade": takes("", 1),
    },
    "gh": {"api": takes("--jq=", 1)},
    "glab": {"api": takes("", 1)},
    "docker": {name: takes("", 0, ANY) for name in ("build", "login", "push", "save", "version")},
}
"""By program and sub-command. Amplify's CLI and pip are nobody's to ask here: neither is installed with the tests."""
CATEGORIES = {"api", "auth", "custom", "function", "hosting", "interactions", "predictions", "project", "storage"}
"""Of the Amplify CLI: what may be added, changed and removed."""
FRONTENDS = {"javascript", "android", "ios", "flutter"}
ALONE: dict[str, Takes] = {
    ".": takes("", 1),
    "cd": takes("", 1),
    "command": takes("-v", 1),
    "cp": takes("-R", 2),
    "curl": takes("--fail --silent -f -s -S -L --request= --header= -H= --data=", 1),
    "echo": takes("", 0, ANY),
    "jq": takes("-e -r", 1, 2),
    "mkdir": takes("-p", 1),
    "mv": takes("", 2),
    "printf": takes("", 1, ANY),
    "rm": takes("-r -f", 1, ANY),
    "sed": takes("-n", 2),
    "sh": takes("", 0),
    "tee": takes("", 1),
}
S3: dict[str, Takes] = {
    "cp": takes("--recursive --quiet --only-show-errors --exclude= --include= --sse= --sse-kms-key-id=", 2),
    "ls": takes("--recursive --human-readable --summarize", 0, 1),
    "mb": takes("", 1),
    "rb": takes("--force", 1),
    "rm": takes("--recursive --quiet --dryrun --exclude= --include=", 1),
    "sync": takes("--delete --quiet --dryrun --exclude= --include= --size-only", 2),
}
"""Sub-commands of `aws s3`, which are no operations of the service."""
SSO = {"login": takes("--profile= --sso-session="), "logout": takes("")}
CONFIGURE = {"": takes("--profile="), "sso": takes("--profile="), "export-credentials": takes("--profile= --format=")}
VARIABLES = {
    "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SECRET_ACCESS_KEY",
    "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE",
}  # fmt: skip
"""What is set before a command."""
WORDS = {"git push": {"origin", "main"}, "npm run": {"build", "dev"}}
"""Which words follow `git push` and `npm run` on pages; the scripts are a team's own: the example's page needs none."""
STACKS = {
    "ann", "dev", "main", "pipeline", "pr", "preprod", "preview", "prod", "produs", "qa", "second", "shop", "staging",
    "store", "todo",
}  # fmt: skip
"""What pages call their environments, accounts and pipelines."""
APPS = {"app", "myapp", "new", "old", "seriesapp", "todo"}
