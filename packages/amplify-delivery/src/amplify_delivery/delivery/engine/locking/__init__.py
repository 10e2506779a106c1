"""Who changes a stack: its lease and the engine's own locks, held by one command and waited for by others."""
