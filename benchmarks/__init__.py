"""Programs that measure what the README claims.

Run them as python -m benchmarks.<name> from the top of the repository.
"""
