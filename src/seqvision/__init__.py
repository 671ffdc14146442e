"""Pure recurrent cells, convolution blocks and one compiled training run for JAX, judged against honest baselines.

The rooms, from the core outwards (each imports only from those above it):

  conv        pure convolution and pooling, safe and fast inside scan
  cells       pure recurrent cells (Elman, GRU, LSTM); cells.unrolling runs them over time by one of several methods
  seq2seq     attention, decoder, generation and forecasts fed back, as pure functions
  models      flax modules over them: ``Recurrent``, ``MLP``, ``ConvNet``, the classic networks
  data        files -> arrays: series, pictures, text, splits, scalers, windows, augmentation
  storage     files written whole, weights in safetensors, manifests of hashes, checkpoints
  training    losses, the train step, ``fit`` as one compiled run
  saving      a trained model as a folder: ``save_model``, ``load_model``
  metrics     numbers from arrays: errors of forecasts, classes, boxes, sequences, samples
  scorecards  judged tables: models beside naive baselines on the same rows
  interpret   what a trained network looks at
  reporting   run folders, tables, plots
  pipelines   from a file to a score card and a run folder: what the experiments and the command line call
  interop     weights to and from torch, Keras, flax, haiku and equinox, and our cells inside flax and equinox
  testing     float64 NumPy references and ``check_cell`` for your own cells
  cli         the command line: ``seqvision train | evaluate | predict``

Importing this package loads nothing heavy; import the room you need.
"""

import logging
import os

# XLA:CPU writes a false alarm at error level for every program that it loads from the compilation cache ("target
# machine feature +prefer-no-gather is not supported": a tuning preference, not an instruction). Errors still raise.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

logging.getLogger("seqvision").addHandler(logging.NullHandler())  # nothing is shown unless a program asks for it

__version__ = "0.1.0"
__all__ = ["__version__"]
