"""Hyper-parameters found by trials (Optuna), chosen on the validation part; the test part is never touched."""
