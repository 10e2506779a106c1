"""An environment as it shall be, as it is, and the plan from one to the other."""
