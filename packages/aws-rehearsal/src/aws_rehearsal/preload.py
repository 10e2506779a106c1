"""What plugins and programs load, loaded ahead: modules, and the documents that are dear to read.

Only what is the same for everybody. Sessions with AWS, credentials and channels are made by each plugin itself.

It names every plugin, so it stands above them and above `warm`, which forks whatever was loaded.
"""

from __future__ import annotations

import contextlib
import pkgutil
from collections.abc import Iterable
from importlib import import_module
from typing import Any

_PROGRAMS = (
    *(
        f"pulumi_aws.{service}"
        for service in (
            "cloudformation", "cloudwatch", "codebuild", "codestarnotifications", "ecr", "iam", "kms", "s3",
            "secretsmanager", "sns", "ssm",
        )
    ),
    *(f"pulumi_aws_native.{service}" for service in ("apigatewayv2", "codepipeline", "iam", "lambda_", "logs")),
    "pydantic.main", "pydantic.fields", "pydantic.functional_validators", "pydantic.alias_generators",
    "pydantic.json_schema", "pydantic.types", "boto3.session", "boto3.s3.inject", "s3transfer.manager",
    "s3transfer.subscribers", "pulumi.automation",
)  # fmt: skip
"""What the project's programs import, of Pulumi's packages and of others. What is missing, the program will miss."""

_RESOURCES = (
    "pulumi:Stash", "pulumi.runtime.stack:Stack", "pulumi_aws:Provider", "pulumi_aws_native:Provider",
    *(
        f"pulumi_aws.{resource}"
        for resource in (
            "cloudformation:Stack", "cloudwatch:EventRule", "cloudwatch:EventTarget", "codebuild:Project",
            "codestarnotifications:NotificationRule", "ecr:LifecyclePolicy", "ecr:Repository", "ecr:RepositoryPolicy",
            "iam:Policy", "iam:Role", "iam:RolePolicy", "iam:RolePolicyAttachment", "kms:Alias", "kms:Key", "s3:Bucket",
            "s3:BucketLifecycleConfiguration", "s3:BucketOwnershipControls", "s3:BucketPolicy",
            "s3:BucketPublicAccessBlock", "s3:BucketServerSideEncryptionConfiguration", "s3:BucketVersioning",
            "secretsmanager:Secret", "secretsmanager:SecretVersion", "sns:Topic", "sns:TopicPolicy",
            "sns:TopicSubscription", "ssm:Parameter",
        )
    ),
    *(
        f"pulumi_aws_native.{resource}"
        for resource in (
            "apigatewayv2:Api", "apigatewayv2:Integration", "apigatewayv2:Route", "apigatewayv2:Stage",
            "codepipeline:Pipeline", "iam:Role", "lambda_:Function", "lambda_:Permission", "logs:LogGroup",
        )
    ),
)  # fmt: skip
"""What the project's programs declare."""

_LAST = ("cfnlint.runner",)
"""What of that comes last, so that whoever imports the project's packages has not imported it with them: a thousand
modules, which only the examination of templates needs."""

_WHEN_USED = (
    *(f"grpc.{name}" for name in ("_channel", "_interceptor", "_server", "_simple_stubs", "_utilities")),
    *(f"encodings.{name}" for name in ("idna", "utf_8_sig")),
)
"""What libraries load when they are first used: a server or a channel of gRPC is 20 ms of imports."""

_PLUGINS = (
    "aws_rehearsal.language_host.service",
    "aws_rehearsal.providers.aws",
    "aws_rehearsal.providers.aws_native",
    "aws_rehearsal.providers.classic.provider",
    "aws_rehearsal.providers.native.provider",
)

_SERVICES = (
    "cloudformation", "codebuild", "codepipeline", "codestar-notifications", "ecr", "events", "iam", "kms", "logs",
    "s3", "secretsmanager", "sns", "ssm", "sts",
)  # fmt: skip
"""Services that the stand-ins call."""

_TYPES = (
    "apigatewayv2:Api", "apigatewayv2:Integration", "apigatewayv2:Route", "apigatewayv2:Stage", "codepipeline:Pipeline",
    "codepipeline:Webhook", "iam:Role", "lambda:Function", "lambda:Permission", "logs:LogGroup", "s3:Bucket",
)  # fmt: skip
"""Native types of the project's programs."""

_REGIONS = ("us-east-1", "eu-west-1", "eu-central-1")


def preload(also: Iterable[str] = ()) -> None:
    """Loads all of it into this process, which must not have started to use any of it; `also` are packages of whoever
    starts the server, and what of them is called once (`MODULE:FUNCTION`) because it keeps what it makes."""
    # First what a cold run of a program begins with: the host's runner, and the SDK.
    import_module("aws_rehearsal.language_host.runner")
    from aws_rehearsal.warm import commands, isolation, sdk  # noqa: F401 - a fork finds the first one loaded

    with contextlib.suppress(ImportError):
        import_module("pulumi.runtime")
    with isolation.loading_ahead():
        for name in _PROGRAMS:
            with contextlib.suppress(ImportError):
                # A service's package is loaded when anything is asked of it, also what it has not.
                hasattr(import_module(name), "loaded")
        sdk.work_out(_RESOURCES)
        for name in _WHEN_USED:
            with contextlib.suppress(ImportError):
                import_module(name)
        for name in also:
            module, called, function = name.partition(":")
            if called:
                _call(module, function)
            else:
                _load_all_of(module)
        for name in _LAST:
            with contextlib.suppress(ImportError):
                import_module(name)
        for name in _PLUGINS:
            import_module(name)
        _stand_ins()


def _load_all_of(package: str) -> None:
    """A package with every module in it, but those that are commands: they do something when they are loaded."""
    from aws_rehearsal.warm import isolation

    isolation.only_what_is_loaded(package)
    with contextlib.suppress(ImportError):
        loaded = import_module(package)
        for found in pkgutil.walk_packages(loaded.__path__, f"{package}."):
            if not found.name.endswith(".__main__"):
                with contextlib.suppress(ImportError):
                    import_module(found.name)


def _call(module: str, function: str) -> None:
    from aws_rehearsal.warm import isolation

    with contextlib.suppress(ImportError):
        isolation.call_ahead(import_module(module), function)


def _stand_ins() -> None:
    from aws_rehearsal.providers import classic, session
    from aws_rehearsal.providers.native import schemas
    from aws_rehearsal.warm import boto

    classic.load_all()
    boto.remember()
    session.load_models(_SERVICES)
    _share(session.documents())
    for region in _REGIONS:
        for token in _TYPES:
            schemas.find(f"aws-native:{token}", region)


def _share(documents: dict[Any, Any]) -> None:
    """Have every session of botocore begin with these documents: each would read and parse megabytes again.

    They are the library's own. Where somebody has others as well, its configuration says so, or they lie in a folder
    with which nothing starts warm (`request.py`).
    """
    from botocore import session

    proper = session.create_loader

    def create_loader(search_path_string: str | None = None) -> Any:
        loader = proper(search_path_string)
        if search_path_string is None:
            vars(loader)["_cache"].update(documents)
        return loader

    vars(session)["create_loader"] = create_loader
