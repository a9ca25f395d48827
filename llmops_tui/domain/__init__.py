"""Pure types and functions: what a version, an output, a score and a comparison are. No I/O."""
