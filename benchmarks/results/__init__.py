"""What recipes reach: finished runs as one small JSON file each, and docs/results.md made of them.

python -m benchmarks.results --help
"""
