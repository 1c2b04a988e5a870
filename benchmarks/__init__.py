"""How fast the zoo trains, beside plain Keras and beside code written by hand for each backend.

python -m benchmarks --help
"""
