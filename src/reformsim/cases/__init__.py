"""The case engine: from a need to its solution, in continuous time."""
