"""What one environment sets: parameters and their layers, and what is bound to the environment that was exported."""
