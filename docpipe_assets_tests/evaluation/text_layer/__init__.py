"""Pages with a known correct method, and the proportion that is decided correctly.

``typeset`` is the half that rules may be tuned on, ``unseen`` the half without tuning, ``later`` a few kinds
that were created after the rules were final.
"""
