"""Pages of which the right way to read them is known, and how many of them are read that way.

``typeset`` is the half that rules may be tuned on, ``unseen`` the half that none was tuned on, ``later`` a
few kinds that were made when the rules stood.
"""
