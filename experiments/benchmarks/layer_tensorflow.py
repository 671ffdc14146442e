"""Recurrent layers by Keras on TensorFlow: a step is one tf.function, a loop of steps a Python loop."""

import keras
from layer_rows import RATE, Row, sample


def load(peer: str, threads: int) -> None:
    """Set TensorFlow's threads, or raise ImportError."""
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)


def make(row: Row) -> keras.Layer:
    """Return Keras's layer of a row."""
    layers = keras.layers
    kinds = {"elman": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}
    if row.cell == "grubefore":
        return layers.GRU(row.H, return_sequences=True, reset_after=False)
    if row.cell not in kinds:
        raise NotImplementedError(f"keras has no {row.cell}")
    return kinds[row.cell](row.H, return_sequences=True)


def build(peer: str, row: Row, *, mode: str, steps: int):
    """Return a function that does the row's work once; compiled by XLA where Keras would do so by itself."""
    import tensorflow

    inputs, weights = sample(row)
    xs, layer = tensorflow.Variable(inputs), make(row)
    layer.build(inputs.shape)
    variables = [xs, *(variable.value for variable in layer.trainable_variables)]

    def gradients():
        with tensorflow.GradientTape() as tape:
            loss = tensorflow.reduce_sum(layer(tensorflow.convert_to_tensor(xs)) * weights)
        return tape.gradient(loss, variables)

    def update():
        for variable, slope in zip(variables, gradients(), strict=True):
            variable.assign_sub(RATE * slope)

    step = tensorflow.function(update if mode == "loop" else gradients, jit_compile=layer.supports_jit)

    def run():
        for _ in range(steps if mode == "loop" else 1):
            step()

    return run
