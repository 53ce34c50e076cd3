{# Rows of a doubled key. #}
{% test unique_key(model, columns) %}
select {{ columns | join(', ') }}, count(*) as times
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# A value outside its scale, a share of more students than count, or a value that its status does not allow. #}
{% test value_fits_its_measure(model) %}
select org_code, gradespan, student_group, indicator, measure, numerator, denominator, n, value, status
from {{ model }}
where (measure = 'percent' and (numerator < 0 or numerator > denominator))
  or (measure in ('percent', 'cpi') and value not between 0 and 100)
  or (measure = 'mean_sgp' and value not between 1 and 99)
  or (measure = 'scaled_score' and value not between 440 and 560)
  or denominator < 1
  or (status in ('ok', 'not_applicable')) <> (value is not null)
{% endtest %}

{# A student group with more students than All Students of the same figure, or without such a row. #}
{% test groups_within_all_students(model, columns, figures) %}
{%- set key = ['org_code', 'gradespan'] + columns %}
select g.student_group, g.{{ key | join(', g.') }}, g.{{ figures | join(', g.') }}
from {{ model }} as g
left join {{ model }} as a
  on a.student_group = 'all_students'
  {%- for column in key %} and g.{{ column }} = a.{{ column }}{% endfor %}
where a.org_code is null
  {%- for figure in figures %} or g.{{ figure }} > a.{{ figure }}{% endfor %}
{% endtest %}

{# More students tested than should have been, counts that do not add up, or a rate that its status does not allow. #}
{% test tested_within_should_test(model) %}
select org_code, gradespan, student_group, subject, should_test, tested, not_tested, rate, status
from {{ model }}
where tested < 0 or not_tested < 0 or should_test < 1 or tested + not_tested <> should_test
  or two_year_tested > two_year_should_test or two_year_should_test < should_test
  or (status = 'ok') <> (rate is not null)
  or (two_year_status = 'ok') <> (two_year_rate is not null)
{% endtest %}
