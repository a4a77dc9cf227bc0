"""Networks, one file each; a file is found by its presence."""
