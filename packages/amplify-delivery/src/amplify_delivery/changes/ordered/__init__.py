"""Changes that AWS takes only one after the other: the updates of the root stack that lead there, in order."""
