"""The process and what surrounds it: backends, the console, files, child processes, Keras."""
