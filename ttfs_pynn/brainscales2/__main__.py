"""Run a script for the vendor's adapter, unchanged, on the emulated chip.

  python -m ttfs_pynn.brainscales2 script.py [arguments]
  python -m ttfs_pynn.brainscales2 --chip 3 script.py      (virtual chip 3 where the script names none; else TTFS_PYNN_CHIP, or 0)
  python -m ttfs_pynn.brainscales2 -m pytest test_of_the_vendor.py
"""

import os
import runpy
import sys

from ttfs_pynn.brainscales2.chip import ENVIRONMENT, ChipError, default_chip
from ttfs_pynn.brainscales2.compatibility import install


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--chip"] and len(arguments) > 1:
        os.environ[ENVIRONMENT] = arguments[1]
        arguments = arguments[2:]
    if not arguments or arguments[0] in ("-h", "--help", "--chip") or arguments == ["-m"]:
        print(__doc__.strip())
        return
    try:
        default_chip()
    except ChipError as error:
        sys.exit(f"error: {error}")
    install()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path.insert(0, "")
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        # As `python script.py` has it: a script finds what lies beside it.
        sys.path.insert(0, os.path.dirname(os.path.abspath(arguments[0])))
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
