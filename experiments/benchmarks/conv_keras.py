"""Training steps of Keras, on the backend that KERAS_BACKEND names: `model.fit` on arrays with its defaults."""

import keras
from conv_rows import NETWORKS, images


def prepare(row: str, way: str, steps: int, threads: int):
    """Return (a call to time, steps in a call)."""
    if row not in NETWORKS:
        raise NotImplementedError("Keras trains networks here")
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    network = NETWORKS[row]
    x, y = images(network, steps)
    model = build(row)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return lambda: model.fit(x, y, batch_size=network.batch, epochs=1, verbose=0), steps


def build(row: str) -> keras.Model:
    """Return one of the three networks."""
    layers = keras.layers
    stack = [keras.Input(NETWORKS[row].shape)]
    if row == "mnist":
        for channels in (32, 64):
            stack += [layers.Conv2D(channels, 3, activation="relu"), layers.MaxPool2D(2)]
    elif row == "fashion":
        stack += [layers.Conv2D(channels, 3, strides=2, activation="relu") for channels in (32, 64, 128)]
    else:
        for channels in (32, 64, 128):
            for _ in range(2):
                stack += [layers.Conv2D(channels, 3, padding="same", activation="relu"), layers.BatchNormalization()]
            stack.append(layers.MaxPool2D(2))
    stack += [layers.Flatten(), layers.Dropout(0.5 if row == "mnist" else 0.2)]
    if row != "mnist":
        stack += [layers.Dense(512 if row == "fashion" else 1024, activation="relu"), layers.Dropout(0.2)]
    return keras.Sequential([*stack, layers.Dense(10)])
