"""A generated production with seeded Bates faults: all are found, none is invented, stamps on
scans are read.
"""
