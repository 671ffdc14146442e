"""Activation functions by name: the table of `seqvision.conv`, for the modules of this room."""

from seqvision.conv.activations import ACTIVATIONS, Activation, activation

__all__ = ["ACTIVATIONS", "Activation", "activation"]
