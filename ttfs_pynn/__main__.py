"""python -m ttfs_pynn: the same as `ttfs-pynn`."""

from ttfs_pynn.entry_point import main

if __name__ == "__main__":
    main()
