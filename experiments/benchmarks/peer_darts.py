"""A row trained by darts: its recurrent network of whole blocks of steps, `BlockRNNModel`, with its defaults."""

import logging
import time

import torch
from darts import TimeSeries
from darts.models import BlockRNNModel
from pytorch_lightning import Callback
from rows import Row, Sample

logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)


class EpochEnds(Callback):
    """Note when each epoch ends, and its loss."""

    def __init__(self):
        self.times: list[float] = []
        self.losses: list[float] = []

    def on_train_epoch_end(self, trainer, module):
        """Note the time; a loss that is a number has been computed."""
        self.losses.append(float(trainer.callback_metrics["train_loss"]))
        self.times.append(time.perf_counter())


def train(row: Row, sample: Sample, epochs: int, batch_size: int, threads: int, seed: int) -> tuple[float, list[float]]:
    """Train the row's network and return the seconds of an epoch, without the first, and the loss of each."""
    torch.set_num_threads(threads)
    ends = EpochEnds()
    trainer = {"accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    model = BlockRNNModel(
        model="LSTM",
        input_chunk_length=row.length,
        output_chunk_length=row.outputs,
        hidden_dim=row.units[0],
        n_rnn_layers=1,
        batch_size=batch_size,
        n_epochs=epochs,
        optimizer_kwargs={"lr": row.learning_rate},
        random_state=seed,
        pl_trainer_kwargs=trainer | {"callbacks": [ends]},
    )
    model.fit(TimeSeries.from_values(sample.series), verbose=False)
    return (ends.times[-1] - ends.times[0]) / (epochs - 1), ends.losses
