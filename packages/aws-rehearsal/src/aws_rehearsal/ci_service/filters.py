"""Which branches and files a CI's file means: GitHub's filter patterns, GitLab's globs.

"Filter pattern cheat sheet" in "Workflow syntax for GitHub Actions"; `rules:changes` in "CI/CD YAML syntax reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def github_matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether the last pattern that concerns `name` is no negative one (`!`)."""
    found = False
    for pattern in patterns:
        negative = pattern.startswith("!")
        if re.fullmatch(_github(pattern[negative:]), name, re.DOTALL):
            found = not negative
    return found


def gitlab_matches(name: str, globs: Iterable[str]) -> bool:
    """Whether one of the globs means the file, as Ruby's `File.fnmatch` does for GitLab."""
    return any(re.fullmatch(_gitlab(glob), name, re.DOTALL) for glob in globs)


def of_push(changed: Sequence[str] | None, paths: Iterable[str] | None, ignored: Iterable[str] | None) -> bool:
    """Whether a push that has changed these files (None: all there are) passes `paths` and `paths-ignore`."""
    if changed is None:
        return True
    wanted, ignored = list(paths or ()), list(ignored or ())
    if wanted and not any(github_matches(file, wanted) for file in changed):
        return False
    return not ignored or any(not github_matches(file, ignored) for file in changed)


_PART = re.compile(r"\*\*/|\*\*|\*|\[[^\]]+\]|\\.|.", re.DOTALL)


def _github(pattern: str) -> str:
    """As a regular expression: `?` and `+` say how often what stands before them does."""
    made = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "?", "+": "+"}
    return "".join(made.get(part) or _plain(part) for part in _PART.findall(pattern))


def _gitlab(glob: str) -> str:
    made = {"**/": "(?:[^/]+/)*", "**": "[^/]*", "*": "[^/]*", "?": "[^/]"}
    braces, depth, parts = {"{": "(?:", "}": ")", ",": "|"}, 0, []
    for part in _PART.findall(glob):
        if part == "{" or (depth and part in braces):
            depth += {"{": 1, "}": -1}.get(part, 0)
            parts.append(braces[part])
        else:
            parts.append(made.get(part) or _plain(part))
    return "".join(parts) + ")" * depth


def _plain(part: str) -> str:
    if part.startswith("[") and len(part) > 1:
        return part.replace("[!", "[^", 1)
    return re.escape(part.removeprefix("\\") if len(part) > 1 else part)
