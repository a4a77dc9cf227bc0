"""From a training run to a bundle: Keras to ONNX, eight bits, calibrated heads."""
