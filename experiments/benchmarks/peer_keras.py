"""A row trained by Keras, on the backend that KERAS_BACKEND names: `model.fit` on arrays with its defaults."""

import time

import keras
from rows import Row, Sample

if keras.backend.backend() == "tensorflow":
    import tensorflow

LOSSES = {
    "mse": "mse",
    "binary_cross_entropy": keras.losses.BinaryCrossentropy(from_logits=True),
    "cross_entropy": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
}
RULES = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}


class EpochEnds(keras.callbacks.Callback):
    """Note when each epoch ends."""

    def __init__(self):
        super().__init__()
        self.times: list[float] = []

    def on_epoch_end(self, epoch, logs=None):
        """Note the time; the loss in `logs` is a number by now, so the epoch has been computed."""
        self.times.append(time.perf_counter())


def train(row: Row, sample: Sample, epochs: int, batch_size: int, threads: int, seed: int) -> tuple[float, list[float]]:
    """Train the row's network and return the seconds of an epoch, without the first, and the loss of each."""
    if keras.backend.backend() == "tensorflow":
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(seed)
    x = sample.x.reshape(len(sample.x), -1) if row.network == "mlp" else sample.x
    model = build(row, x.shape[1:])
    model.compile(optimizer=RULES[row.optimizer](row.learning_rate), loss=LOSSES[row.loss])
    ends = EpochEnds()
    history = model.fit(x, sample.y, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[ends])
    return (ends.times[-1] - ends.times[0]) / (epochs - 1), history.history["loss"]


def build(row: Row, shape: tuple[int, ...]) -> keras.Model:
    """Return the row's network for inputs of a shape."""
    layers = keras.layers
    stack: list[keras.layers.Layer] = [keras.Input(shape)]
    if row.network == "conv":
        stack += [layers.Conv2D(channels, 3, strides=2, activation="relu") for channels in row.units]
        stack += [layers.Flatten(), layers.Dropout(0.2)]
        stack += [layers.Dense(row.dense, activation="relu"), layers.Dropout(0.2)]
    elif row.network == "mlp":
        stack += [layers.Dense(units, activation="relu") for units in row.units]
    else:
        layer = layers.LSTM if row.network == "lstm" else layers.SimpleRNN
        stack += [layer(units, return_sequences=True) for units in row.units[:-1]] + [layer(row.units[-1])]
        if row.dense is not None:
            stack.append(layers.Dense(row.dense))
    return keras.Sequential([*stack, layers.Dense(row.outputs)])
