"""One figure a file: functions that draw into Matplotlib Axes and return these; a command for run folders.

Recipes to copy and edit. They read run folders and Neo blocks, and never simulate.
"""
