"""The artifact's digest, in plain shell: nothing of an artifact runs before all of it is what Build made.

Build writes the sha256 of every file into a list, and exports the list's own sha256. In a target account the list is
made again from what CodePipeline delivered; both lists and the digest must agree. So an altered, a missing and an
additional file are refused, as are links, which could lead out of the artifact.

POSIX shell with find, sort, xargs, sha256sum, cmp and mktemp: what every CodeBuild image has. `sha256sum` writes a file
name with a newline or a backslash in an escaped form, so one line is always one file.
"""

LIST = "artifact.sha256"
"""The list, at the top of the artifact."""

KEPT = "artifact.kept"
"""Hidden files and folders that stay in the artifact, one path in a line (`build.keep`)."""

VARIABLE = "ARTIFACT_DIGEST"
"""The variable with the list's sha256: exported by Build, passed to every action after it."""

_LISTING = f"find . -type f ! -path ./{LIST} -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --"

_ONLY_FILES = """others=$(find . ! -type f ! -type d -print | LC_ALL=C sort | head -n 10)
if [ -n "$others" ]; then
  echo "The artifact holds links or special files: refused." >&2
  printf '%s\\n' "$others" | sed 's/^/  /' >&2{advice}
  exit 1
fi"""
_ADVICE = """
  echo "Make them outside of the checkout, or remove them in the last of build.commands: rm -rf node_modules" >&2"""


def seal() -> str:
    """Commands that write the list of all files below the current folder, and set the variable."""
    return f"""(
set -eu
rm -f ./{LIST}
{_ONLY_FILES.format(advice=_ADVICE)}
listing=$(mktemp)
{_LISTING} > "$listing"
mv "$listing" ./{LIST}
chmod 644 ./{LIST}
) && {VARIABLE}=$(sha256sum < ./{LIST} | cut -d ' ' -f 1) && export {VARIABLE} && echo "Artifact: ${VARIABLE}\""""


def verify() -> str:
    """Commands that end with an error unless the current folder is exactly what the variable stands for."""
    # In a shell of its own: `set` would stay for the commands after it.
    return f"""(
set -eu
{_ONLY_FILES.format(advice="")}
if [ ! -f ./{LIST} ]; then
  echo "The artifact has no {LIST}: refused." >&2
  exit 1
fi
if [ "$(sha256sum < ./{LIST} | cut -d ' ' -f 1)" != "${{{VARIABLE}:?}}" ]; then
  echo "{LIST} is not the list that Build made: refused." >&2
  exit 1
fi
listing=$(mktemp)
{_LISTING} > "$listing"
if ! cmp -s "$listing" ./{LIST}; then
  echo "The artifact's files are not those that Build made: refused." >&2
  exit 1
fi
rm -f "$listing"
echo "Artifact verified: ${VARIABLE}"
)"""
