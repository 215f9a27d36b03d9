"""Networks to copy and edit: one a file, with `PARAMETERS`, `architecture`, `build`, `data` and `CLASS_NAMES`. They name no
simulator."""
