"""The public check of cells, on ours: what unroll and its users take for granted."""

import pytest

from seqvision.cells import GRU, LSTM, LearnedStart, VariationalDropout, Zoneout
from seqvision.testing import check_cell
from tests.cells.family import FAMILY, D, H, event

WRAPPED = {
    "learned-start": LearnedStart(LSTM(H)),
    "zoneout": Zoneout(LSTM(H), h=0.1, c=0.5),
    "variational": VariationalDropout(GRU(H), h=0.5),
}
CELLS = {**{name: cell for name, (cell, _) in FAMILY.items()}, **WRAPPED}


@pytest.mark.slow
@pytest.mark.parametrize("name", CELLS)
def test_check_cell(name):
    cell = CELLS[name]
    check_cell(cell, D, event=event(cell), batch_shapes=[(2,)], tolerance=1e-7)


def test_an_event_that_the_cell_does_not_have():
    cell = CELLS["conv-lstm-1d"]
    for wrong in (None, (5, 3), (D,)):
        with pytest.raises(ValueError, match=r"event: .* must have 2 axes, as ConvLSTM"):
            check_cell(cell, D, event=wrong)
