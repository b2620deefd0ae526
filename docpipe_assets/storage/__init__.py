"""Object stores, and the lake of typed artifacts on top of one."""
