"""The classic provider's resource calls: Check, Diff, Create, Read, Update, Delete, Invoke.

Plays `pkg/tfbridge/provider.go` of pulumi-terraform-bridge. Differences are found between the *state* and the new
inputs, so what a refresh read differs from the program until the program or AWS follows.
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from aws_rehearsal.providers import classic
from aws_rehearsal.providers.config import ProviderConfig
from aws_rehearsal.providers.errors import InitFailed, ProviderError
from aws_rehearsal.providers.naming import chosen_name
from aws_rehearsal.providers.paths import ignoring
from aws_rehearsal.providers.protocol import (
    Provider,
    answering,
    diff_response,
    refused,
    resource_type,
    without_internals,
)
from aws_rehearsal.providers.resource import Call, Resource, kept
from aws_rehearsal.providers.schema import DEFAULTS, Change, changes, check
from aws_rehearsal.providers.session import AwsSession
from aws_rehearsal.providers.wire import UNKNOWN, Properties, Secret, decode, encode, mark_secrets, plain

_REGION_SUFFIX = re.compile(r"^(?P<id>.+)@(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)$")


class ClassicProvider(Provider):
    name = "aws"

    def connect(self, config: ProviderConfig) -> AwsSession:
        """`ConfigureProvider` of terraform-provider-aws: without an account id no list of allowed ones can hold."""
        session = AwsSession(config)
        unasked = config.flag("skipRequestingAccountId")
        account = "" if unasked else session.account
        if unasked and not config.flag("skipCredentialsValidation"):
            _ = session.identity
        allowed, forbidden = config.names("allowedAccountIds"), config.names("forbiddenAccountIds")
        if account in forbidden or (allowed and account not in allowed):
            raise ProviderError(f"AWS account ID not allowed: {account}", "PERMISSION_DENIED")
        return session

    def secrets_of(self, request: Any) -> Any:
        sources = [request.properties] if hasattr(request, "properties") else [request.news, request.olds]
        found = classic.resource(resource_type(request.urn))
        return lambda outputs: _marked(found, outputs, *map(decode, sources))

    def _call(self, found: Resource, timeout: float, *regions: Any) -> Call:
        region = next((str(region) for region in regions if isinstance(region, str) and region), self.session.region)
        return Call(self.session, region, timeout or found.default_timeout)

    @answering
    def Check(self, request: Any, context: Any) -> Any:
        found = classic.resource(resource_type(request.urn))
        olds, news = decode(request.olds), decode(request.news)
        name = request.name or request.urn.rsplit("::", 1)[-1]
        inputs, failures = check(name, found.props, news)
        key = found.name_property
        if key and key not in inputs and not any(blocker in inputs for blocker in found.name_blockers):
            automatic = key in olds and key in (plain(olds.get(DEFAULTS)) or ())
            length = found.name_length - len(found.name_prefix)
            fresh = None if automatic else found.name_prefix + chosen_name(request, length, lower=found.name_lower)
            inputs[key] = fresh or olds[key]
            inputs[DEFAULTS] = sorted([*inputs[DEFAULTS], key])
        problems = [(failure.property, failure.reason) for failure in failures]
        if not problems:
            problems = [
                (key, f"{reason}. Examine values at '{name}.{key}'.") for key, reason in found.validate(plain(inputs))
            ]
        return provider_pb2.CheckResponse(
            inputs=encode(inputs),
            failures=[provider_pb2.CheckFailure(property=key, reason=reason) for key, reason in problems],
        )

    @answering
    def Diff(self, request: Any, context: Any) -> Any:
        found = classic.resource(resource_type(request.urn))
        olds = plain(without_internals(decode(request.olds)))
        news = ignoring(olds, plain(without_internals(decode(request.news))), request.ignoreChanges)
        differences = self._changes(found, olds, news)
        return diff_response(differences, delete_first=_name_is_taken(found, olds, decode(request.news), differences))

    def _changes(self, found: Resource, olds: Properties, news: Properties) -> list[Change]:
        differences = changes(found.props, olds, news)
        old_region = olds.get("region")
        if "region" in found.props and not news.get("region") and old_region and old_region != self.session.region:
            differences.append(Change("region", "UPDATE", replaces=True))
        every = found.planned_tags(self._call(found, 0), news).get("tagsAll")
        if "tagsAll" in olds and every not in (None, UNKNOWN, olds["tagsAll"]):
            # The provider's own tags have changed, or something else has changed the resource's.
            differences.append(Change("tagsAll", "UPDATE", replaces=False))
        return found.changes(olds, differences)

    @answering
    def Create(self, request: Any, context: Any) -> Any:
        found = classic.resource(resource_type(request.urn))
        marked = without_internals(decode(request.properties))
        inputs = plain(marked)
        call = self._call(found, request.timeout, inputs.get("region"))
        if request.preview:
            outputs = found.planned(call, inputs, None, [])
            return provider_pb2.CreateResponse(id="", properties=encode(_marked(found, outputs, marked)))
        try:
            resource_id, outputs = found.create(call, inputs)
        except InitFailed as error:
            outputs = _completed(found, call, inputs, error.outputs)
            raise InitFailed(error.resource_id, outputs, [f"creating {request.urn}: {_one(error)}"]) from error
        except Exception as error:
            refusal = refused(error)
            if call.ids:  # upstream has set the id: what it was doing when it failed does not matter
                outputs = _completed(found, call, inputs, found.planned_tags(call, inputs))
                raise InitFailed(call.ids[-1], outputs, [f"creating {request.urn}: {_one(refusal)}"]) from error
            raise ProviderError(_one(refusal), refusal.code) from error
        outputs = _completed(found, call, inputs, outputs)
        return provider_pb2.CreateResponse(id=resource_id, properties=encode(_marked(found, outputs, marked)))

    @answering
    def Read(self, request: Any, context: Any) -> Any:
        found = classic.resource(resource_type(request.urn))
        state, old_inputs = without_internals(decode(request.properties)), without_internals(decode(request.inputs))
        resource_id, olds = request.id, plain(state)
        importing = not olds
        suffix = _REGION_SUFFIX.match(resource_id)
        if importing and suffix:
            resource_id, olds = suffix["id"], {"region": suffix["region"]}
        call = self._call(found, 0, olds.get("region"))
        try:
            answer = found.read(call, resource_id, {} if importing else olds)
        except Exception as error:
            refusal = refused(error)
            raise ProviderError(f"refreshing {request.urn}: {_one(refusal)}", refusal.code) from error
        if answer is None:
            return provider_pb2.ReadResponse()
        read_id, outputs = answer
        outputs = _completed(found, call, kept(olds, "region"), outputs)
        inputs = found.readable_inputs(outputs, plain(old_inputs), importing=importing)
        defaults = decode(request.inputs).get(DEFAULTS)
        if defaults:  # which names were made up: the next Check keeps them
            inputs[DEFAULTS] = defaults
        return provider_pb2.ReadResponse(
            id=read_id,
            properties=encode(_marked(found, outputs, state, old_inputs)),
            inputs=encode(_marked(found, inputs, old_inputs, state)),
        )

    @answering
    def Update(self, request: Any, context: Any) -> Any:
        found = classic.resource(resource_type(request.urn))
        marked = without_internals(decode(request.news))
        olds = plain(without_internals(decode(request.olds)))
        news = ignoring(olds, plain(marked), request.ignoreChanges)
        call = self._call(found, request.timeout, news.get("region"), olds.get("region"))
        differences = self._changes(found, olds, news)
        if request.preview:
            outputs = found.planned(call, news, olds, differences)
        else:
            try:
                outputs = found.update(call, request.id, olds, news, _changed(differences))
            except Exception as error:
                # As if it had worked: after a failed update Terraform's SDK saves what was planned
                # (terraform-plugin-sdk #476). The engine tries again as long as it knows of the failure, which is
                # until the next refresh.
                planned = found.planned(call, news, olds, differences)
                outputs = {key: value for key, value in planned.items() if value is not UNKNOWN}
                raise InitFailed(request.id, outputs, [f"updating {request.urn}: {_one(refused(error))}"]) from error
            outputs = _completed(found, call, news, outputs)
        return provider_pb2.UpdateResponse(properties=encode(_marked(found, outputs, marked, decode(request.olds))))

    @answering
    def Delete(self, request: Any, context: Any) -> Any:
        found = classic.resource(resource_type(request.urn))
        olds = plain(without_internals(decode(request.properties)))
        try:
            found.delete(self._call(found, request.timeout, olds.get("region")), request.id, olds)
        except Exception as error:
            refusal = refused(error)
            raise ProviderError(f"deleting {request.urn}: {_one(refusal)}", refusal.code) from error
        return empty_pb2.Empty()

    @answering
    def Invoke(self, request: Any, context: Any) -> Any:
        function = classic.invoke(request.tok)
        arguments = decode(request.args)
        region = plain(arguments.get("region"))
        call = Call(self.session, region or self.session.region, 60.0)
        result = function(call, {key: value for key, value in plain(arguments).items() if value is not None})
        return provider_pb2.InvokeResponse(**{"return": encode(result)})


def _one(error: Exception) -> str:
    """As hashicorp/go-multierror writes a single error."""
    return f"1 error occurred:\n\t* {error}\n\n"


def _changed(differences: list[Change]) -> set[str]:
    """The properties that an update is about: all tags are the business of whoever looks after `tags`."""
    return {"tags" if change.property == "tagsAll" else change.property for change in differences}


def _name_is_taken(found: Resource, olds: Properties, news: Properties, differences: list[Change]) -> bool:
    """Whether a replacement must wait for the old one to go, since both have the name that the program gives.

    Plays `nameRequiresDeleteBeforeReplace` of the bridge.
    """
    key = found.name_property
    if not key or key in (plain(news.get(DEFAULTS)) or ()) or not any(change.replaces for change in differences):
        return False
    return key in news and plain(news[key]) == olds.get(key)


def _completed(found: Resource, call: Call, inputs: Properties, outputs: Properties) -> Properties:
    """Outputs as the engine stores them: what was given, over it what AWS said, and the effective region."""
    given = {key: value for key, value in inputs.items() if key in found.props}
    merged = {key: value for key, value in {**given, **outputs}.items() if not found.props[key].write_only}
    if "region" in found.props:
        merged["region"] = inputs.get("region") or outputs.get("region") or call.region
    return merged


def _marked(found: Resource, outputs: Properties, *sources: Properties) -> Properties:
    marked: Properties = mark_secrets(outputs, *sources)
    for key, prop in found.props.items():
        if prop.secret and marked.get(key) not in (None, UNKNOWN) and not isinstance(marked[key], Secret):
            marked[key] = Secret(marked[key])
    if isinstance(marked.get("tagsAll"), dict):
        for source in sources:
            marked["tagsAll"] = mark_secrets(marked["tagsAll"], source.get("tags"))
    return marked
