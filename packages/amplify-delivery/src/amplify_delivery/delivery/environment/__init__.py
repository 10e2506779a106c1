"""An environment as it should be, as it is, and the plan from one to the other."""
