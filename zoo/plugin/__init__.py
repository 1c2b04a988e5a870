"""What a plugin is: the contracts of models, datasets and metrics, and where they are found."""
