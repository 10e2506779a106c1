"""What an assembly becomes in each environment, examined before the first of them is published: files only, no AWS.

`publish` examines as well, but it knows one environment, and comes after whatever was deployed before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path

from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly, ExportRefused, render_root
from amplify_delivery.findings import Finding, listed
from amplify_delivery.publishing import Deployment, examine, refusing
from amplify_delivery.stacks.access import staging_bucket
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.inputs import as_configured


def for_environments(
    assembly: Assembly, environments: Sequence[str], folder: Path, progress: Callable[[str], None]
) -> None:
    """Examine the assembly as each of the environments will publish it, root template included.

    A finding names the environments that it is about; most are about a template that all share. Warnings go to
    `progress`, unless something is refused. Raises `ExportRefused` with all of them then, `ConfigError` for a stack
    file whose values do not fit the assembly.
    """
    found: dict[Finding, list[str]] = {}
    forms: dict[Hashable, dict[str, EnvironmentConfig]] = {}
    for name in environments:
        config = stack_files.load(folder, name)
        forms.setdefault((config.production, config.successors), {})[name] = config
    for configs in forms.values():
        form = as_configured(assembly, next(iter(configs.values())))
        deployments = {name: _deployment(form, config, folder) for name, config in configs.items()}
        for name, findings in examine(form, deployments, progress).items():
            for finding in dict.fromkeys(findings):
                found.setdefault(finding, []).append(name)
    told = [replace(f, file=f"{listed(names)}: {f.file}") for f, names in found.items()]
    if refusing(told):
        raise ExportRefused(told)
    for finding in told:
        progress(f"{finding.severity}: {finding}")


def _deployment(assembly: Assembly, config: EnvironmentConfig, folder: Path) -> Deployment:
    """One environment's; what is wrong with its values is said of its file."""
    bucket = staging_bucket(assembly.project, config)
    try:
        root = render_root(assembly, stack_files.values(folder, config), bucket)
    except ConfigError as error:
        where = error.where or str(stack_files.path(folder, config.environment))
        raise ConfigError(error.message, where=where, remedy=error.remedy) from None
    return Deployment([(root.object, root.body)], bucket, config.region, config.ignored, root.stack_name)
