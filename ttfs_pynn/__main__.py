"""python -m ttfs_pynn: the same as `ttfs-pynn`, as far as Python lets it.

Python puts the current folder first on the path. It is taken off here, but what lies there under the name of this package, or of
one that Python itself imports before, has been run by then: `ttfs-pynn`, and `python -P -m ttfs_pynn`, run nothing of it.
"""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]
    from ttfs_pynn.commands.entry_point import main
    main()
