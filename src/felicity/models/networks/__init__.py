"""Networks, one file each; Felicity finds every file in this folder."""
