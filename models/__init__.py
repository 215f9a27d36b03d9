"""Networks to copy and edit: one a file, with `graph`, `data`, `PARAMETERS` and `CLASS_NAMES`. They name no
simulator."""
