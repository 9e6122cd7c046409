"""Rules by which offices, workers, residents' groups and organisations move: arrays in, arrays out.

Each module is one mechanism. A rule keeps no state and reads no configuration: what it needs is
passed by name, what it changes is returned, so that the model and a known-answer test run the
same code.
"""
