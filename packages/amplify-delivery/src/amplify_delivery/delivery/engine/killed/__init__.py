"""After a run that was killed: what it has left in the engine's state is settled against AWS."""
