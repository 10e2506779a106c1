"""The tools of a rehearsal: where they are, and the way to have them all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from amplify_export.errors import SetupError
from rehearsal.setup import environments
from rehearsal.setup.cache import CHECKOUT
from rehearsal.setup.engine import ensure_engine, found_engine
from rehearsal.setup.node import ensure_node, ensure_node_modules, found_node, node_modules
from rehearsal.setup.progress import Progress

LOCK = CHECKOUT / "requirements.lock"
LOCAL_AWS_LOCK = CHECKOUT / "rehearsal" / "local_aws" / "requirements.lock"


@dataclass(frozen=True)
class Tools:
    """Absolute paths of everything a rehearsal runs.

    `engine_root` is the folder whose `bin/` holds `pulumi`; `python` is the project's interpreter in `.venv`;
    `local_aws_python` that of the local AWS's own environment; `node` the Node.js binary; `node_modules` a folder
    for NODE_PATH with `cfn-response` and the AWS SDK.
    """

    engine_root: Path
    python: Path
    local_aws_python: Path
    node: Path
    node_modules: Path


def tools() -> Tools:
    """The tools, if the set-up is complete; takes about 0.1 s and changes nothing.

    Raises `SetupError` if anything is missing or older than what the project pins.
    """
    engine, node, modules = found_engine(), found_node(), node_modules()
    local_aws = environments.cached_environment("local-aws", LOCAL_AWS_LOCK)
    complete = (
        environments.complete(environments.project_environment(), LOCK)
        and environments.complete(local_aws, LOCAL_AWS_LOCK)
        and modules.is_dir()
    )
    if engine is None or node is None or not complete:
        raise SetupError("the set-up is not complete", remedy="run `make setup`")
    python = environments.interpreter(environments.project_environment())
    return Tools(engine, python, environments.interpreter(local_aws), node, modules)


def ensure_all(progress: Progress) -> Tools:
    """Make everything that is missing or broken, and say where it is. Raises `SetupError`."""
    environments.clean_python_environment()
    python = environments.ensure(environments.project_environment(), LOCK, "Python environment .venv", progress)
    local_aws = environments.cached_environment("local-aws", LOCAL_AWS_LOCK)
    local_aws_python = environments.ensure(local_aws, LOCAL_AWS_LOCK, "local AWS", progress)
    node = ensure_node(progress)
    modules = ensure_node_modules(node, progress)
    return Tools(ensure_engine(python, progress), python, local_aws_python, node, modules)
