"""What the checks of plugins work with: a small model, its cases, and outcomes."""
