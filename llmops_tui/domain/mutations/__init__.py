"""How an attack is disguised: pure functions from its text to another that means the same.

`catalogue` has all of them by name. Each gives the same text for the same text.
"""
