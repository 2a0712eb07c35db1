"""hpo_app from Python: the names that `import hpo_app` promises."""
