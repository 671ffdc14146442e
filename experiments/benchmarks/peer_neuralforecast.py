"""A row trained by neuralforecast: its LSTM, one batch of windows a step, as many steps as the epochs have batches."""

import logging
import time

import numpy as np
import pandas as pd
import torch
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import LSTM
from rows import Row, Sample

logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)


def train(row: Row, sample: Sample, epochs: int, batch_size: int, threads: int, seed: int) -> tuple[float, list[float]]:
    """Train the row's network and return the seconds of an epoch, of all of them, and the loss of the last step."""
    torch.set_num_threads(threads)
    steps = epochs * -(-len(sample.x) // batch_size)
    model = LSTM(
        h=row.outputs,
        input_size=row.length,
        encoder_hidden_size=row.units[0],
        encoder_n_layers=1,
        decoder_layers=0,
        recurrent=False,
        loss=MSE(),
        max_steps=steps,
        batch_size=1,
        windows_batch_size=batch_size,
        learning_rate=row.learning_rate,
        scaler_type="identity",
        random_seed=seed,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=False,
        enable_checkpointing=False,
    )
    hours = pd.date_range("2020-01-01", periods=len(sample.series), freq="h")
    frame = pd.DataFrame({"unique_id": "series", "ds": hours, "y": np.asarray(sample.series)[:, 0]})
    begun = time.perf_counter()
    fitted = NeuralForecast(models=[model], freq="h")
    fitted.fit(frame)
    losses = [float(loss) for _, loss in fitted.models[0].train_trajectories]
    return (time.perf_counter() - begun) / epochs, losses
