"""The figures that the study reports.

Source: Setiaji, Firmansyah, Akbar, Tjahjono, Widodo: Emotional Classification Based on Facial Expression Recognition
Using Convolutional Neural Network Method (Universitas Esa Unggul).
"""

from __future__ import annotations

TRAINING_IMAGES, TEST_IMAGES = 28_709, 3_589
PARAMETERS = 363_655
LAYERS = {
    "conv1": 320, "conv2": 18_496, "conv3": 73_856, "dense1": 262_272, "dense2": 8_256, "logits": 455,
}  # fmt: skip
EPOCHS = 30
TENSORFLOW_LOSS = (700.9, 1414.1, 106.7, 34.3, 20.4, 7.5, 0.62, 0.18, 0.097, 0.067)
TENSORFLOW_ACCURACY = (0.380, 0.380, 0.383, 0.540, 0.594, 0.722, 0.952, 0.991, 0.996, 0.996)
"""Accuracy by epoch, two classes; the first ten figures of epochs numbered 0 to 10."""
TENSORFLOW_ACCURACIES = (0.93, 0.99)
"""Accuracies in the text, and in its table."""
TENSORFLOW_SECONDS = 9 * 60 + 55
PYTORCH_ACCURACY = 0.69
PYTORCH_LOSS = {1: 1.742, 10: 1.132, 20: 0.945, 30: 0.891}
"""Loss by epoch."""
PYTORCH_SECONDS = 16 * 60 + 11
STEPS = {
    "collect": "AffectNet's training data from Kaggle, 96 by 96 pixels, RGB, class folders and labels.csv",
    "clean": "irrelevant and corrupted images left out",
    "preprocess": "face cut out, resized, normalised, augmented",
    "split": "70 % to train on, 30 % to test on, and a validation set",
    "cross-validate": "done, without figures",
    "train": f"{EPOCHS} epochs, TensorFlow, then PyTorch",
    "tune": "learning rate, number of layers, size of filters",
    "evaluate": "accuracy, precision, recall, F1, confusion matrix, curves, over- and underfitting",
    "use": "faces of four locations",
}
