"""Small networks of every kind that is exported, with the shape of one of their inputs."""

from seqvision.cells import GRU, LSTM, ConvLSTM, Elman, MinGRU
from seqvision.models import (
    MLP,
    Anchored,
    ClassificationHead,
    ConvBlock,
    ConvNet,
    LeNet5,
    Recurrent,
    RegressionHead,
    RowByRow,
)

NETWORKS = {
    "lstm": (Anchored(Recurrent((LSTM(4),), head=RegressionHead(2)), (0,)), (6, 2)),
    "gru, both ways": (Recurrent((GRU(3), GRU(2)), bidirectional=True), (5, 2)),
    "gru, reset before": (Recurrent((GRU(3, reset_after=False),), readout="mean"), (5, 2)),
    "elman": (Recurrent((Elman(3),), readout="max"), (5, 2)),
    "min gru": (Recurrent((MinGRU(3),)), (5, 2)),
    "mlp": (MLP((4,), head=RegressionHead(2)), (6, 2)),
    "convnet": (
        ConvNet((4, 6), stride=1, padding="same", pool=(2, 2), batch_norm=True, dropout=0.2, dense=(5,)),
        (8, 8, 1),
    ),
    "strided convolution in groups": (ConvBlock(4, (3, 3), stride=2, groups=2, padding="same"), (7, 7, 2)),
    "rows": (RowByRow(Recurrent((LSTM(4),), head=ClassificationHead(3))), (6, 6, 1)),
    "lenet": (LeNet5(), (32, 32, 1)),
    "conv lstm": (Recurrent((ConvLSTM(2, (3, 3), (5, 5)),), head=None), (3, 5, 5, 1)),
}
