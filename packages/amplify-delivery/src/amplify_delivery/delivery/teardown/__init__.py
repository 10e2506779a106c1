"""Taking things away: what would be lost, what stays, in which order."""
