"""What recipes reach: a small JSON file per finished run, and docs/lab/results.md made of them.

python -m benchmarks.results --help
"""
