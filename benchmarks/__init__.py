"""What the README claims, measured: run these as python -m benchmarks.<name> from the top of the
repository.
"""
