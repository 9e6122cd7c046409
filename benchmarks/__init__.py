"""Benchmarks: the engine side by side with what a user would otherwise pick.

``python -m benchmarks`` runs them all and rewrites the generated parts of docs/performance.md.
Not part of the installed package.
"""
