"""The program of an account: lets the pipeline in, once, with rights that its owner can read."""

from __future__ import annotations

from functools import partial

import pulumi

from amplify_delivery.components import lost_state
from amplify_delivery.components.documents.naming import APP_TAG
from amplify_delivery.components.providers import Access, aws_native_provider, aws_provider
from amplify_delivery.components.remembered import unchanged
from amplify_delivery.components.target_account import TargetAccount, TargetAccountArgs
from amplify_delivery.stacks import collisions
from amplify_delivery.stacks.access import account_environments, engine_of, environment_access
from amplify_delivery.stacks.account_digest import account_digest
from amplify_delivery.stacks.config.program import account_config, running
from amplify_delivery.stacks.inputs import is_adopting


def program() -> None:
    """Make what each environment of the stack file needs in its account."""
    config, here = account_config(), running()
    project, app = here.project.once(), pulumi.get_project()
    environments = account_environments(project, config, project.file(here.stack).name)
    engine = engine_of(project, config)
    accesses = {env.environment: environment_access(project, app, config, env) for env in environments}
    collisions.check(project, app, {name: access.names for name, access in accesses.items()})
    digest = account_digest(config, accesses, engine)

    # One for each environment: of one that comes later, too, the first place is remembered.
    places = [
        unchanged(
            f"place-{env.environment}",
            {"account": env.account, "region": env.region},
            f"put it back in Pulumi.{env.environment}.yaml; an environment that moves gets a new name, and its old one "
            "is taken out of `environments` first",
            lost_state.first_create(
                f"first-create-{env.environment}",
                Access(env.account, env.region, config.profile, config.role_arn),
                partial(lost_state.taken_place, names=accesses[env.environment].names),
                held=lost_state.held_by("TargetAccount", env.environment),
                adopting=is_adopting(),
            ),
        )
        for env in environments
    ]
    only_here = pulumi.ResourceOptions(depends_on=pulumi.Output.all(*places).apply(lambda _: []))
    providers: dict[str, list[pulumi.ProviderResource]] = {}
    for environment in environments:
        name, region = environment.environment, environment.region
        if region not in providers:
            access = Access(environment.account, region, config.profile, config.role_arn, {**config.tags, APP_TAG: app})
            providers[region] = [
                aws_provider(f"aws-{region}", access, only_here),
                aws_native_provider(f"native-{region}", access, only_here),
            ]
        account = TargetAccount(
            name,
            TargetAccountArgs(accesses[name], engine, protect=config.protect, digest=digest),
            pulumi.ResourceOptions(providers=providers[region]),
        )
        pulumi.export(
            name,
            {
                "stagingBucket": account.staging_bucket,
                "stateBucket": account.state_bucket,
                "secretsProvider": account.secrets_provider,
                "actionRole": account.action_role_arn,
                "ciRoles": account.ci_roles,
                "executionRole": account.execution_role_arn,
                "boundary": account.boundary_arn,
                "projects": account.projects,
                "repositoryUrl": account.repository_url,
                "version": account.version,
            },
        )
    pulumi.export("account", environments[0].account)
