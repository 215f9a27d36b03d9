"""Coordinates and containers of the BrainScaleS-2 chip, under the names that scripts import from dlens_vx_v3.

halco holds the coordinates, hal and lola the containers, sta the builders, hxcomm the connection, logger the loggers. They
keep and check values; nothing here talks to a chip. Present is what PyNN scripts touch.
"""
