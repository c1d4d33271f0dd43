"""The sides that `benchmarks.training` compares, each run in a process of its own."""
