"""How a training is stopped and gone on with: its checkpoints, the configuration they belong to, signals."""
