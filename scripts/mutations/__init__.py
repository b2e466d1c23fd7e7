"""Do the tests notice when an access check is missing? Mutation testing of the checks between countries and roles.

A *mutant* is one check that no longer works: a `visible_to` that filters nothing, a permission that every account has,
a call of a role method without its parentheses. `mutants.py` finds them in the code and changes them in memory.
`run.py` starts pytest once, with `plugin.py`. The plugin collects the tests and makes the database, then forks for each
mutant. The fork applies the mutant and runs the tests until one fails: the mutant is *caught*. If all pass, the mutant
is *missed*, and a test must be added. The fork ends and takes the change with it, so mutants never meet.
Before that, all tests run without a mutant: they must pass, or a failure would prove nothing.
`make access` runs all of this and prints the figures in docs/access.md; tests/access/test_mutations.py runs three.
"""
