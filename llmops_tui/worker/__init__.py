"""The other process: runs targets, asks models, scores, and runs the workspace's Python."""
