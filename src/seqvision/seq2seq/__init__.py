"""From one sequence to another of a different length: attention, decoder and generation as pure functions."""

from .attention import Attention, Bahdanau, BahdanauParams, Luong, LuongParams, attend
from .decoder import Decoder, DecoderParams, DecoderState, Encoded
from .generation import Generated, generate

__all__ = [
    "Attention",
    "Bahdanau",
    "BahdanauParams",
    "Decoder",
    "DecoderParams",
    "DecoderState",
    "Encoded",
    "Generated",
    "Luong",
    "LuongParams",
    "attend",
    "generate",
]
