"""Fakes that ship: tested implementations of the ports, with fault knobs."""
