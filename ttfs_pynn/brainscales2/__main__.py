"""Run a script for the vendor's adapter, unchanged, on the emulated chip.

  python -m ttfs_pynn.brainscales2 script.py [arguments]
  python -m ttfs_pynn.brainscales2 -m pytest test_of_the_vendor.py
"""

import runpy
import sys

from ttfs_pynn.brainscales2.compatibility import install


def main():
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help") or arguments == ["-m"]:
        print(__doc__.strip())
        return
    install()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path.insert(0, "")
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
