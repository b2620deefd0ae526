"""A made production with planted Bates faults: all are found, none invented, stamps on scans are read."""
