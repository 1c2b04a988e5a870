"""How to read a run in TensorBoard: the text that each run carries along."""

GUIDE = """\
# How to read this run

| You ask | Look at |
|---|---|
| Is it still improving? | Time Series: `loss` of the run and of `validation`, both in one chart |
| Does it overfit? | the same chart: the curve of `validation` turns up while the other falls |
| Which player wins? | Custom Scalars, *which player wins*; Histograms, `logits` |
| Which term grows? | Custom Scalars, *which term grows* |
| Whose gradient vanishes? | Custom Scalars, *whose gradient vanishes*: `gradient_norm` near 0 |
| Does a player move at all? | `updates_per_step`: 1 is one move per step, 0 is none |
| Which latent dimension is dead? | Images, `traversals`: a row that does not change; `posterior` |
| Did the codes leave the prior? | Histograms, `codes/examples` beside `codes/prior` |
| Do modes collapse? | Images, `samples`: the same picture again and again |
| Which setting helped? | HParams of several runs: settings against the columns `final/...` |
| Where was it resumed? | Text, `resumed`: its step is the first one after the checkpoint |

Drag the slider of an image to go back in time: the noise and the examples stay the same.

A training curve is the mean since the point before. `update_ratio` is the norm of the change that
a step makes to the weights, divided by the norm of the weights.
"""
