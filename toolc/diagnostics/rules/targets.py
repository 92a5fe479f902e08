from toolc.diagnostics.rule import Rule

RULES: tuple[Rule, ...] = ()
