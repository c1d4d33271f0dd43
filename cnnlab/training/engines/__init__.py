"""One module per backend: how steps run and networks answer there, fast."""
