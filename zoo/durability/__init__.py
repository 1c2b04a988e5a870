"""A run survives what ends it: checkpoints, going on from them, faults told and outlived."""
