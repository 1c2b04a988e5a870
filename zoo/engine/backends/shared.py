"""What several backends share."""

from __future__ import annotations


def unique(groups) -> list:
    """The variables of all groups, each once."""
    return list({id(v): v for group in groups.values() for v in group}.values())


class Trainer:
    """The steps that a trainer of Keras runs whose variables hold the state after each of them."""

    def train_step(self, data, share=None):
        self.make_moves(data, share)
        return self.get_metrics_result()

    def test_step(self, data):
        self.evaluate_moves(data)
        return self.get_metrics_result()


class InPlace:
    """``Steps`` of such a backend."""

    def sync(self) -> None:
        """Have the model's variables hold the state, as they do."""
