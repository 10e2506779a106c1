"""What deploying would change: the deployed stacks and the wanted ones, compared resource by resource.

Below `components/`, because the guard over data stands in the program itself: plain `pulumi up` asks it too.
"""
