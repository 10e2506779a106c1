"""Buildspecs, version 0.2, inline in the projects: "Build specification reference for CodeBuild".

A buildspec in a project can only be changed with the project; one in the artifact could be changed with the artifact.
Each is deterministic text. Everything installed is locked by hash in `requirements.lock`.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amplify_delivery.components.documents.naming import CHECK, DEPLOY, PLAN, PUBLISH
from amplify_delivery.components.documents.pipeline import artifact, put_wheels
from amplify_delivery.components.documents.pipeline.model import OtherProgram

MAX_INLINE = 25_600
"""Characters of an inline buildspec that CodeBuild accepts."""

UPDATE_MINUTES = 60
"""What UpdatePipeline may take."""

LOCK = "requirements.lock"
INSTALLING = f"pip install --no-compile --no-deps --require-hashes -r {LOCK}"
"""How a person installs what a project pins. Without byte code of thousands of modules that nothing imports: 10 seconds
of processor time in place of 50."""
VIRTUALENV = ".venv"
"""As in Pulumi.yaml, `runtime.options.virtualenv`."""
IMAGE_LOCK = "AMPLIFY_DELIVERY_LOCK"
"""Set in an image that holds all packages of a lock: the lock's SHA-256."""

REQUIREMENTS = "requirements.txt"
WHEELS = "built-wheels"
"""Where Build puts wheels of the folders that `requirements.txt` names, as `./packages/amplify-delivery`: pip knows
no hash of a folder, so what is tested is packed once, and goes by the artifact's digest through all stages."""

PUT_WHEELS = Path(put_wheels.__file__).read_text(encoding="utf-8")
"""The program that puts them into a build's virtualenv."""

OUTPUT_BASE = "$CODEBUILD_SRC_DIR"

ASSEMBLY = "assembly"
"""Where Build (`amplify_delivery.commands.build`) puts the assembly, beside the program."""

EXAMINED = "assembly-examined"
"""Where Build leaves what it found out about the assembly's templates, for whatever publishes them after it."""

# Variables, not arguments of the commands: a source of another age, whose commands know nothing of them, is built too.
_EXAMINING = {"AMPLIFY_DELIVERY_EXAMINED": EXAMINED}
"""`amplify_delivery.publishing.examination.cache.RESULTS_VARIABLE`."""

_BUILT = {"AMPLIFY_DELIVERY_ASSEMBLY": ASSEMBLY, **_EXAMINING}
"""What is deployed after Build: its very assembly, not the export once more (`stacks.inputs.ASSEMBLY_VARIABLE`)."""


@dataclass(frozen=True)
class EngineDownload:
    """The engine's archive, for images that do not hold it. It is compared with its sha256 before it is unpacked."""

    url: str
    sha256: str


def build(engine: EngineDownload | None = None, folder: str = "", put: tuple[str, str] | None = None) -> str:
    """Build: install what is locked, test, check, assemble and examine the export, seal the artifact.

    The user's own commands, such as tests, stand in the source: one that always fails is fixed by a commit. Exports
    the digest and nothing else. The artifact is the program as it was checked out, with what the commands have written,
    plus the assembly and what was found out about it; it is sealed as the last thing, so that it holds what was tested.

    `folder` is that of the Pulumi project in the repository, empty for its root. It alone is the artifact: whatever
    follows Build finds the project at the artifact's root. `put` is a file that the repository does not have, and what
    follows needs: its name and its text.
    """
    phases = {
        "install": _install(engine, _make_wheels()),
        "build": [*([_put(*put)] if put else []), "python -m amplify_delivery build"],
        "post_build": [_only_after_success(), _without_leftovers(), artifact.seal()],
    }
    base = OUTPUT_BASE
    if folder:
        base = f"{OUTPUT_BASE}/{folder}"
        phases = {name: [f'cd "{base}"', *commands] for name, commands in phases.items()}
    spec = _spec(phases, [artifact.VARIABLE], _EXAMINING)
    # Everything that is left in the folder: the list says what belongs to it.
    spec["artifacts"] = {"files": ["**/*"], "base-directory": base}
    return _text(spec)


def _put(name: str, text: str) -> str:
    return f"""if [ -e {name} ]; then
  echo "The repository has {name}, but another program declares the pipeline: which of them counts, nobody could tell. \
Remove it from the repository" >&2
  exit 1
fi
printf '%s\\n' {shlex.quote(text)} > {name}"""


def update_pipeline(engine: EngineDownload | None = None, program: OtherProgram | None = None) -> str:
    """UpdatePipeline: the built commit's own description of the pipeline, which `program` has, else its stack file."""
    waits = {"AMPLIFY_DELIVERY_WAIT": str(UPDATE_MINUTES // 2)}
    command, first = "python -m amplify_delivery update-pipeline", []
    if program:
        # Each in a shell of its own: whatever it changes there (a folder, an option), the next command has as before.
        first = [f"(cd {shlex.quote(program.folder)} && eval {shlex.quote(line)})" for line in program.install]
        command += f" --program {shlex.quote(program.folder)} --program-stack {shlex.quote(program.stack)}"
    return _text(_spec(_verified([*first, command], engine), [], waits))


def project(what: str, timeout_minutes: int, engine: EngineDownload | None = None) -> str:
    """The buildspec of a target account's project, one of `naming.PROJECTS`, that may take so many minutes."""
    command, exports = {PUBLISH: (_PUBLISH, []), PLAN: (_PLAN, PLAN_VARIABLES), CHECK: (_CHECK, [])}.get(
        what, (_deploy(timeout_minutes), [])
    )
    return _text(_spec(_verified([command], engine), exports, {**_BUILT, **_waits(what, timeout_minutes)}))


def _waits(what: str, timeout_minutes: int) -> dict[str, str]:
    """`amplify_delivery.delivery.engine.locking.waiting.WAIT_VARIABLE`. A plan needs some minutes for itself, to tell
    at least what is going on still; a deployment as long again."""
    minutes = {PLAN: timeout_minutes - 10, DEPLOY: timeout_minutes // 2}.get(what)
    return {} if minutes is None else {"AMPLIFY_DELIVERY_WAIT": str(max(minutes, 1))}


PLAN_VARIABLES = ["CHANGES", "PLAN_DIGEST"]
"""What Plan exports: the number of changes, which the approver reads, and the digest, which Deploy is bound to."""

_PUBLISH = 'python -m amplify_delivery publish "$ENVIRONMENT"'
_CHECK = 'python -m amplify_delivery step "$ENVIRONMENT" "$STEP_NAME"'
# The command writes NAME=VALUE lines: a process cannot set a variable of the shell that started it.
_PLAN = """plan_variables=$(mktemp) &&
python -m amplify_delivery plan "$ENVIRONMENT" --variables "$plan_variables" &&
. "$plan_variables" && export CHANGES PLAN_DIGEST"""


def _deploy(timeout_minutes: int) -> str:
    # CodeBuild kills at its timeout. The engine ends cleanly on SIGTERM, if it gets the time for it.
    return (
        f"timeout --signal=TERM --kill-after=5m {max(timeout_minutes - 10, 1)}m "
        'python -m amplify_delivery deploy "$ENVIRONMENT" --plan "$PLAN_DIGEST"'
    )


def _verified(commands: Sequence[str], engine: EngineDownload | None) -> dict[str, list[str]]:
    """First the digest, then everything else: the lock file is part of the artifact too."""
    return {"install": [artifact.verify(), *_install(engine)], "build": list(commands)}


def _make_wheels() -> str:
    # Built with what the lock holds, and with nothing else: no index is asked.
    return f"""for folder in $(sed -n 's|^\\(\\./[^ ;#]*\\).*|\\1|p' {REQUIREMENTS} 2> /dev/null); do
  [ ! -d "$folder" ] || python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-index \\
    --no-build-isolation --wheel-dir {WHEELS} "$folder" || exit 1
done"""


def _install(engine: EngineDownload | None, made: str = "") -> list[str]:
    # In the virtualenv that Pulumi.yaml names: the engine's language host runs the program with no other Python. An
    # image that says it was made from this very lock has everything; in another, what is missing is installed. Not
    # compiled ahead: pip would take half a minute for thousands of modules of pulumi_aws, of which few are imported.
    commands = [
        f"""python3 -m venv --without-pip --system-site-packages {VIRTUALENV} && . {VIRTUALENV}/bin/activate &&
if [ "$(sha256sum < {LOCK} | cut -d ' ' -f 1)" != "${{{IMAGE_LOCK}:-}}" ]; then
  python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r {LOCK}
fi""",
        *([made] if made else []),
        f"""if [ -d {WHEELS} ]; then
others=$(python -I - {WHEELS}/*.whl <<'PUT_WHEELS'
{PUT_WHEELS}PUT_WHEELS
) || exit 1
[ -z "$others" ] || python -m pip install --quiet --disable-pip-version-check --no-deps --no-index $others
fi""",
    ]
    if engine:
        commands.append(
            f"""set -eu
if ! command -v pulumi > /dev/null; then
  archive=$(mktemp)
  curl --fail --silent --show-error --location --output "$archive" {engine.url}
  echo "{engine.sha256}  $archive" | sha256sum --check --status
  tar --extract --gzip --file "$archive" --directory /usr/local/bin --strip-components 1
  rm -f "$archive"
fi"""
        )
    return commands


def _only_after_success() -> str:
    # CodeBuild runs post_build after a failed build as well, and would export a digest of it.
    return '[ "$CODEBUILD_BUILD_SUCCEEDING" = 1 ]'


def _without_leftovers() -> str:
    # Byte code differs from build to build. Whether CodeBuild packs hidden files is not documented, and hardly a step
    # needs one: without them the list and the artifact agree either way. What `build.keep` names stays.
    return f"""find . -mindepth 1 \\( -name '.*' -o -name __pycache__ \\) -prune -print0 |
while IFS= read -r -d '' path; do
  if [ -f {artifact.KEPT} ] && grep -Fxq -- "$path" {artifact.KEPT}; then
    echo "Kept in the artifact: $path"
  else
    case "$path" in */__pycache__) ;; *) echo "Left out of the artifact, because hidden: $path" ;; esac
    rm -rf -- "$path"
  fi
done"""


def _spec(
    phases: Mapping[str, Sequence[str]], exports: Sequence[str], variables: Mapping[str, str] | None = None
) -> dict[str, object]:
    environment: dict[str, object] = {"shell": "bash"}
    if variables:
        environment["variables"] = dict(sorted(variables.items()))
    if exports:
        environment["exported-variables"] = list(exports)
    return {
        "version": 0.2,
        "env": environment,
        "phases": {name: {"on-failure": "ABORT", "commands": list(lines)} for name, lines in phases.items()},
    }


def _text(spec: Mapping[str, object]) -> str:
    """JSON, which is YAML as well: a string that CodeBuild, a rehearsal and a test read the same way."""
    return json.dumps(spec, indent=1, ensure_ascii=False)
