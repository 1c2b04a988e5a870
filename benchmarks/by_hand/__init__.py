"""The same training as somebody writes it for one framework, with nothing of the zoo's loop.

On JAX and TensorFlow the networks are the zoo's Keras networks, of which a compiled step keeps the
mathematics alone; on PyTorch, where layers are called at every step, they are of ``torch.nn``.
"""
