"""What every environment of this app is made of: its Amplify backend, and whatever else the app needs beside it.

Add your own resources to `Stage`: a DNS record, a monitor, a function that reads the backend's tables. They are
ordinary Pulumi resources of the environment's stack, with the providers that `environment` has; what they need from the
backend is typed (`backend.user_pool.id`, `backend.function("resize").arn`). What a pipeline may make in an account
stands in `programTypes` of the account's stack file; `amplify-delivery plan ENV` says what is missing there.
"""

import pulumi

from amplify_delivery.components import AmplifyBackend
from amplify_delivery.stacks import Environment
from components.hello_service import HelloService, HelloServiceArgs


class Stage:
    """One environment. Its resources stay children of the stack itself: a resource that gets another parent gets
    another URN, for which Pulumi makes a new one and deletes the old."""

    backend: AmplifyBackend

    def __init__(self, environment: Environment) -> None:
        self.backend = AmplifyBackend("backend", environment.backend_args, environment.backend_options)

        # A key of this project's own: Pulumi.yaml declares it.
        if pulumi.Config().get_bool("helloService"):
            hello = HelloService(
                "hello",
                HelloServiceArgs(
                    names=environment.names,
                    graphql_endpoint=self.backend.graphql_endpoint,
                    boundary_arn=environment.permissions_boundary,
                ),
                pulumi.ResourceOptions(providers=[environment.aws_native]),
            )
            # Steps of the pipeline ask for it by this name, in `envFromOutputs`.
            pulumi.export("helloUrl", hello.url)
