"""The gate: is the candidate worse than the baseline? `judge.judge` decides, `result` says how."""
