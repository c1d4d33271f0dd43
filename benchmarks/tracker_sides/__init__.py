"""The trackers that `benchmarks.trackers` compares, one file for each."""
