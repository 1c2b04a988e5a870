"""Broken plugins, one file for each check of ``zoo.testing``, which alone rejects it.

A file is called after the check, and its ``plugin`` is what is checked.
"""
