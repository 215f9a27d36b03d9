"""The command `ttfs-pynn`: its options, help, completion, and projects of one's own."""
