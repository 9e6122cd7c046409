"""From a question to its answer by one path: design → runs → store → analysis."""
