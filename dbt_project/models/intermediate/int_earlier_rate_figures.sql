-- Shares of students counted in earlier years, each with the groups that they had then: no delivery of this year moves them.
{{ rate(ref('int_annual_dropout'), ref('int_student_attributes_prior'), 'annual_dropout', 1) }}
union all
{{ rate(ref('int_four_year_graduation'), ref('int_cohort_attributes'), 'four_year_graduation', 1) }}
union all
{{ rate(ref('int_extended_engagement'), ref('int_cohort_attributes'), 'extended_engagement', 2) }}
