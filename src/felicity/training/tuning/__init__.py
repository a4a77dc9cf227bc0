"""Hyper-parameters found by trials (Optuna), chosen on the validation set; the test set is never touched."""
