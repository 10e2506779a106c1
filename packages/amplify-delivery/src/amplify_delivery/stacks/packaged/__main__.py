"""`python -m amplify_delivery.stacks.packaged`: what the command `pulumi-resource-amplify-delivery` does."""

from amplify_delivery.stacks.packaged.host import main

main()
