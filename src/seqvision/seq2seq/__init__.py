"""From one sequence to another: attention, decoder, generation, and forecasts fed back, as pure functions."""

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
