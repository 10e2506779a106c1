"""CodeStar Notifications: rules, and what they tell."""
