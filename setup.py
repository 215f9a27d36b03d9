"""What setup.cfg cannot say: which folders are installed, and where. All else is there.

models, protocols and analysis are recipes to copy, so they stand at the top of the checkout. Installed under these names they
would shadow other people's packages: they are parts of the package, ttfs_pynn.models, ttfs_pynn.protocols and ttfs_pynn.analysis.
"""

from setuptools import find_packages, setup

RECIPES = {f"ttfs_pynn.{name}": name for name in ("models", "protocols", "analysis")}

setup(packages=[*find_packages(include=["ttfs_pynn*"]), *RECIPES], package_dir=RECIPES)
