"""Statistics of live traffic: pure functions on tallies. Figures: docs/live-statistics.md."""
