{# Rows of a doubled key. #}
{% test unique_key(model, columns) %}
select {{ columns | join(', ') }}, count(*) as times
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# More students met than count, or a value that its status does not allow. #}
{% test met_is_part_of_counted(model) %}
select org_code, gradespan, student_group, indicator, numerator, denominator, value, status
from {{ model }}
where numerator < 0 or numerator > denominator or denominator < 1 or (status = 'ok') <> (value is not null)
{% endtest %}

{# A group with more students than All Students of the same figure, or without such a row. #}
{% test groups_within_all_students(model) %}
select g.org_code, g.gradespan, g.student_group, g.indicator, g.n, a.n as all_students
from {{ model }} as g
left join {{ model }} as a
  on g.org_code = a.org_code and g.gradespan = a.gradespan and g.indicator = a.indicator
  and a.student_group = 'all_students'
where a.n is null or g.n > a.n or g.numerator > a.numerator
{% endtest %}
