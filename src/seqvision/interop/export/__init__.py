"""A trained model as a file that other programs run: StableHLO, ONNX, or its weights alone."""
