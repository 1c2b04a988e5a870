"""Recipes: what they are, where their files are, and changes from the command line."""
