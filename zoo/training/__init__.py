"""From a recipe to a finished run, also after a stop."""
