"""Numbers from a study: ranking, summary and tables, without drawing or telling."""
