"""Encoder-decoders that write strings of digits: without attention, with Luong's and with Bahdanau's.

Sources: Sutskever, Vinyals and Le, "Sequence to sequence learning with neural networks", 2014; Bahdanau, Cho and
Bengio, "Neural machine translation by jointly learning to align and translate", 2015; Luong, Pham and Manning,
"Effective approaches to attention-based neural machine translation", 2015.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from seqvision.cells import LSTM
from seqvision.data import SequencePairs
from seqvision.models import EncoderDecoder, SequenceEncoder
from seqvision.pipelines import SequenceConfig, example_lines, run_sequences, save_attention
from seqvision.seq2seq import Bahdanau, Decoder, Luong

import numpy as np

Name = Literal["no attention", "Luong", "Bahdanau"]


@dataclass(frozen=True)
class DigitStringConfig(SequenceConfig):
    """Sizes of the networks, beside how they are trained."""

    models: tuple[Name, ...] = get_args(Name)
    """which of these models to train"""
    hidden: int = 64
    """units of the decoder, and of the encoder in each direction"""
    embedding: int = 16
    """size of a digit's vector"""


def build(config: DigitStringConfig, symbols: int) -> dict[str, EncoderDecoder]:
    """Return the models by name."""
    cell = LSTM(config.hidden)
    encoder = SequenceEncoder((cell,), symbols, config.embedding, bidirectional=True)
    decoders = {
        "no attention": Decoder(symbols, cell, config.embedding),
        "Luong": Decoder(symbols, cell, config.embedding, Luong("general")),
        "Bahdanau": Decoder(symbols, cell, config.embedding, Bahdanau(config.hidden), feed="context"),
    }
    return {name: EncoderDecoder(encoder, decoders[name]) for name in config.models}


def run_digit_strings(
    config: DigitStringConfig, pairs: SequencePairs, naive: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Train the models, print their scores beside naive answers, draw attention maps, and return the scores."""
    run = run_sequences(config, build(config, len(pairs.target)), pairs.train, pairs.test, naive)
    sources = pairs.source.decode(pairs.test.x[0])
    save_attention(run, sources, pairs.target)
    print(run.text)
    print(example_lines(run, sources, pairs.target))
    print(f"\nrun folder: {run.folder}")
    return run.to_dict()
