"""What setup.cfg cannot say: which folders are installed, and where. All else is there.

models, protocols and analysis are recipes to copy. Installed under these names they would shadow other people's packages, so they
go into the package, as ttfs_pynn/recipes/, where the command `ttfs-pynn` finds them (ttfs_pynn/entry_point.py).
"""

from setuptools import find_packages, setup

RECIPES = {f"ttfs_pynn.recipes.{name}": name for name in ("models", "protocols", "analysis")}

setup(packages=[*find_packages(include=["ttfs_pynn*"]), *RECIPES], package_dir=RECIPES)
