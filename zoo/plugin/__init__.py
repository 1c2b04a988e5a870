"""What a plugin is: the contracts of its kinds, and where plugins are found."""
