"""For people who write cells: float64 references in NumPy, and ``check_cell`` for any cell."""

from . import reference
from .check import check_cell

__all__ = ["check_cell", "reference"]
