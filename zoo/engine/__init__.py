"""Training and using a model of several players, the same on every backend.

``model.py`` is the Keras model, ``step.py`` one training step, ``checks.py`` what is refused
before training, ``inference.py`` what a trained model can do. The backends are below.
"""
