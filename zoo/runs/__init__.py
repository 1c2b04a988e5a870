"""Everything on disk that belongs to a run."""
