"""PyNN scripts with build(sim) as a user would write, drawn by number; in a planted one, one simulator does one thing otherwise.

    writer      the lines of a script and the places where a defect can be planted
    parts       sources, cells, projections, currents, each with the defects it can have
    networks    populations and projections: eight kinds
    hidden      defects that are not in what PyNN reports
    timelines   runs, resets and changes between runs: ten kinds
    catalogue   script(number), planted(number)
    plain       a script on PyNN alone
"""
