"""Stores of objects, and the lake of typed artifacts on top of one."""
