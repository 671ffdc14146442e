"""From pairs of sequences to encoder-decoders that write one from the other: train, let them write, judge, plot."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
import optax
from numpy.typing import ArrayLike

from seqvision._checks import counted
from seqvision._phases import phase, phases, seconds_so_far
from seqvision.data import Arrays, Vocabulary
from seqvision.metrics import SequenceScores, score_sequences
from seqvision.models import EncoderDecoder
from seqvision.pipelines.config import PAIRS, SequenceConfig, with_batch_size
from seqvision.pipelines.results import SequenceRun
from seqvision.pipelines.seed_training import StoppedSeedsError, history_records, train_seeds
from seqvision.reporting import RunFolder
from seqvision.seq2seq import Generated
from seqvision.training import updates_in


@phases()
def run_sequences(
    config: SequenceConfig,
    models: Mapping[str, EncoderDecoder],
    train: Arrays,
    test: Arrays,
    naive: Mapping[str, ArrayLike],
) -> SequenceRun:
    """Train every model from every seed, let it write the test targets greedily, and judge it beside naive answers.

    Args:
      config: how to train.
      models: name -> `EncoderDecoder`.
      train: what `decoder_arrays` returns.
      test: likewise.
      naive: name -> tokens (N, T) that some simple rule writes for the test rows.

    Raises:
      OSError: if the run folder cannot be written, before anything is compiled.
    """
    config = with_batch_size(config, len(train), default=PAIRS)
    truth = np.asarray(test.y)
    scores: dict[str, dict[str, float]] = {}
    written, history, seconds = {}, {}, {}
    stopped: list[str] = []
    with RunFolder.create(config.out, config.name) as folder:
        folder.write_config(config)
        optimizer = _optimizer(config, len(train))
        for stream, (name, model) in enumerate(models.items()):
            try:
                done = train_seeds(
                    model,
                    train,
                    optimizer=optimizer,
                    seeds=config.seeds,
                    seed=config.seed,
                    stream=stream,
                    name=name,
                    loss="sequence_cross_entropy",
                    epochs=config.epochs,
                    batch_size=config.batch_size,
                )
            except StoppedSeedsError as error:
                done = error.trained
                stopped.append(f"{name}, {error}")
            with phase("judging", name):
                written[name] = write(model, done.variables, test)
                each = [score_sequences(truth, written=tokens) for tokens in written[name].tokens]
            scores[name] = _row(each, "model")
            history[name], seconds[name] = done.history, done.seconds
            folder.save_model(name, model, done.states)
            folder.log_metrics(history_records(name, done.history))
        for name, tokens in naive.items():
            scores[name] = _row([score_sequences(truth, written=tokens)], "baseline")
        if stopped:
            raise ArithmeticError("; ".join(stopped))
        summary = {"scores": scores, "seconds": seconds, "test_rows": len(test)}
        folder.write_json("summary.json", summary)
        from seqvision.reporting import plot_losses, save_figure

        with phase("drawing"):
            save_figure(plot_losses(history, loss="cross entropy of a token"), folder.path / "losses.png")
        folder.write_json("phases.json", seconds_so_far())
    text = _text(scores, seconds, len(test))
    return SequenceRun(scores, written, folder=folder.path, text=text, summary=summary, history=history)


def write(model: EncoderDecoder, variables: list[Any], data: Arrays) -> Generated:
    """Let every trained copy of a model write greedily for every row: tokens (S, N, T), T as in the targets."""
    one = jax.jit(partial(model.apply, max_length=data.y.shape[1], method="generate"))
    each = [one(trained, data.x[0]) for trained in variables]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *each)


def save_attention(
    run: SequenceRun, sources: Sequence[Sequence[str]], target: Vocabulary, *, examples: int = 3
) -> None:
    """Plot into the run folder, and into its report, what seed 0 of each model read while it wrote the first test rows.

    Args:
      run: what `run_sequences` returned.
      sources: the symbols read, of each test row.
      target: the vocabulary that is written in.
      examples: rows to plot.
    """
    from seqvision.reporting import plot_attention, save_figure

    for name, written in run.written.items():
        if written.attention is None:
            continue
        tokens = written.tokens[0, :examples]
        texts = [
            [*text, *(["end"] if 2 in row else [])] for text, row in zip(target.decode(tokens), tokens, strict=True)
        ]
        figure = plot_attention(
            list(written.attention[0, :examples]),
            sources=sources[:examples],
            targets=texts,
            title=f"{_of_seed_0(name, written)}: what is read while each symbol is written",
        )
        save_figure(figure, run.folder / f"attention-{name.replace(' ', '-')}.png")
    RunFolder(run.folder).write_report()


def example_lines(run: SequenceRun, sources: Sequence[str], target: Vocabulary, *, examples: int = 3) -> str:
    """Return a line a model with what its seed 0 wrote for the first test rows.

    Args:
      run: what `run_sequences` returned.
      sources: what was read, of each test row.
      target: the vocabulary that is written in.
      examples: rows to show.
    """
    lines = []
    for name, written in run.written.items():
        texts = target.decode(written.tokens[0, :examples])
        lines.append(
            f"{_of_seed_0(name, written)}: " + ", ".join(f"{a} -> {b}" for a, b in zip(sources, texts, strict=False))
        )
    return "\n".join(lines)


def nearest_answers(train: Arrays, test: Arrays) -> np.ndarray:
    """Answer each test source with the target of the nearest training source: Hamming distance, pixels by squares.

    >>> train = Arrays((np.array([[3, 4], [5, 6]]), None), np.array([[7, 2], [8, 2]]))
    >>> nearest_answers(train, Arrays((np.array([[5, 4], [5, 9]]), None), np.zeros((2, 2), int))).tolist()
    [[7, 2], [8, 2]]
    """
    known, asked = (np.asarray(data.x[0]).reshape(len(data), -1) for data in (train, test))
    tokens = known.dtype.kind in "iu"
    rows = [int(np.argmin(((known != row) if tokens else (known - row) ** 2).sum(axis=1))) for row in asked]
    return np.asarray(train.y)[rows]


def _optimizer(config: SequenceConfig, examples: int) -> optax.GradientTransformation:
    updates = updates_in(config.epochs, examples, config.batch_size or PAIRS)
    rate = optax.cosine_decay_schedule(config.learning_rate, updates)
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))


def _row(each: list[SequenceScores], kind: str) -> dict[str, Any]:
    table = np.array(each)
    spread = table.std(axis=0, ddof=1) if len(each) > 1 else np.full(2, np.nan)
    exact, symbols = table.mean(axis=0)
    row = {"kind": kind, "seeds": len(each), "exact": exact, "exact_std": spread[0]}
    return {**row, "symbols": symbols, "symbols_std": spread[1]}


def _text(scores: Mapping[str, Mapping[str, Any]], seconds: Mapping[str, Mapping[str, float]], rows: int) -> str:
    lines = [f"{'share right of ' + counted(rows, 'test row'):<32}{'whole sequence':<20}{'symbols':<20}training"]
    for name, row in scores.items():
        cells = [f"{row[key]:.4f}" + _spread(row[f"{key}_std"]) for key in ("exact", "symbols")]
        time = f"{seconds[name]['run'] / row['seeds']:.1f} s a seed" if name in seconds else ""
        lines.append(f"{name:<32}{cells[0]:<20}{cells[1]:<20}{time}".rstrip())
    if any(row["seeds"] > 1 for row in scores.values()):
        lines.append("± is the spread over seeds; the shares of a model are means over its seeds.")
    return "\n".join(lines)


def _spread(value: float) -> str:
    return "" if np.isnan(value) else f" ± {value:.4f}"


def _of_seed_0(name: str, written: Generated) -> str:
    """Return a name that says which seed wrote, where there are several."""
    return f"{name}, seed 0" if len(written.tokens) > 1 else name
