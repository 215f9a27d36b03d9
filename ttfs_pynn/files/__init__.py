"""Files that are whole or not there: sealed arrays, NIX, locks, configurations."""
