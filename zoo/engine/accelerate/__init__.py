"""What makes training faster by reaching into a framework, each piece by itself."""
