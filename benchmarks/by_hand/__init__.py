"""The same training as an expert writes it for one framework, with nothing of the zoo's loop.

A folder per backend, a file per model. On JAX and TensorFlow the networks are the zoo's Keras
networks, of which a compiled step keeps the mathematics alone. On PyTorch, where layers are called
at every step, they are of ``torch.nn`` and start from the weights of the zoo's networks.

The function ``training`` of a file gives a step, from uint8 pictures and the step's noise to the
loss of each player. The noise is an argument, so a test can give the zoo's.
"""
