"""From indicator tables to determinations: targets, points, percentages, percentiles, categories, designations."""
