"""From one sequence to another: attention, decoder, generation, and forecasts fed back, as pure functions."""

from seqvision._exported import register_named_tuples

from .attention import Attention, Bahdanau, BahdanauParams, Luong, LuongParams, attend
from .decoder import Decoder, DecoderParams, DecoderState, Encoded
from .free_running import free_run
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
    "free_run",
    "generate",
]

register_named_tuples("seq2seq", {name: globals()[name] for name in __all__})
