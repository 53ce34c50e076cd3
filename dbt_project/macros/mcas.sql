{# What MCAS rows say, long: a row a student and subject, with other columns `besides`. Science has a best result by the end of
   grade 10 on each scale. #}
{% macro subject_columns(mcas, besides=[]) -%}
  {%- for subject in ['ela', 'math', 'science'] %}
  select
    {{ (['sasid', 'school_code', 'grade'] + besides) | join(', ') }}, '{{ subject }}' as subject,
    {{ subject }}_test_status as test_status,
    {{ subject }}_attempt as attempt,
    {{ subject }}_assessment as assessment,
    {{ subject }}_scaled_score as scaled_score,
    {{ subject }}_legacy_equivalent as legacy_equivalent,
    {{ subject }}_performance_other as performance_other,
    {{ 'science_highest_legacy_score' if subject == 'science' else 'null' }} as best_legacy_score,
    {{ 'science_highest_scaled_score' if subject == 'science' else 'null' }} as best_scaled_score
  from {{ mcas }}
  {{ 'union all' if not loop.last }}
  {%- endfor %}
{%- endmacro %}

{# Subject and gradespan of the rows of a rule whose parameters are `<subject>_<gradespan>`. #}
{% macro by_subject(rule_id, years_back=0) -%}
  select
    substring(parameter, 1, position('_' in parameter) - 1) as subject,
    substring(parameter, position('_' in parameter) + 1) as gradespan,
    value
  from ({{ policy_rows(rule_id, years_back) }}) as policy_row
{%- endmacro %}

{# What each student and subject means for participation (column meaning: tested, not_tested, left_out), at the school of the
   mcas row, in the year of the relations. #}
{% macro participation_judged(mcas, attributes, access, years_back) -%}
with tested_grades as (
  {{ by_subject('tested_grades', years_back) }}
),

status_words as (
  {{ policy_rows('participation_status', years_back) }}
),

through_access as (
  select distinct sasid from {{ access }} where test_status = 'T'
),

enrolled as (  -- before subjects are told apart: each student is looked up once
  select m.*, a.profile, a.is_first_year_el and x.sasid is not null as is_through_access
  from {{ mcas }} as m
  inner join {{ attributes }} as a on m.sasid = a.sasid
  left join through_access as x on m.sasid = x.sasid
),

sat as (
  select
    m.sasid, m.school_code, m.subject, g.gradespan, m.profile,
    w.value as meaning,
    m.attempt,
    coalesce(m.best_legacy_score, m.best_scaled_score) is not null as has_best,
    m.is_through_access,
    m.subject = 'science' and g.gradespan = 'high' as is_best_of_years
  from ({{ subject_columns('enrolled', ['profile', 'is_through_access']) }}) as m
  inner join tested_grades as g on m.subject = g.subject and position(m.grade in g.value) > 0
  left join status_words as w on m.test_status = w.parameter
)

select
  sasid, school_code, subject, gradespan, profile,
  is_best_of_years and has_best as is_by_best,
  is_through_access,
  case
    when is_best_of_years and has_best then 'tested'
    when meaning = 'tested' and coalesce(attempt, '') <> 'N' then 'tested'
    when meaning = 'left_out' or (meaning is null and not is_best_of_years) then 'left_out'
    when is_through_access then 'tested'
    else 'not_tested'
  end as meaning
from sat
{%- endmacro %}

{# Who should have been tested and who was, by organisation, gradespan, group and subject, in the year of the relations. #}
{% macro participation(mcas, attributes, access, years_back) -%}
with judged as (
  {{ participation_judged(mcas, attributes, access, years_back) }}
),

by_school as (
  select
    school_code, gradespan, profile, subject,
    count(*) as should_test,
    sum(case when meaning = 'tested' then 1 else 0 end) as tested
  from judged
  where meaning <> 'left_out'
  group by school_code, gradespan, profile, subject
),

by_level as (
  {{ levels('by_school', ['gradespan', 'profile', 'subject', 'should_test', 'tested']) }}
)

select
  l.org_code, l.gradespan, g.student_group, l.subject,
  sum(l.should_test) as should_test,
  sum(l.tested) as tested
from by_level as l
inner join {{ ref('int_profile_groups') }} as g on l.profile = g.profile
group by l.org_code, l.gradespan, g.student_group, l.subject
{%- endmacro %}

{# Columns of int_student_scores that make a figure. #}
{% macro mcas_indicators() -%}
  {{ return(['ela_achievement', 'math_achievement', 'science_achievement', 'ela_growth', 'math_growth']) }}
{%- endmacro %}

{# Columns of the sums and counts that mcas_sums gives. #}
{% macro mcas_sum_columns() -%}
  {%- set columns = [] -%}
  {%- for indicator in mcas_indicators() -%}
    {%- do columns.extend([indicator ~ '_sum', indicator ~ '_count']) -%}
  {%- endfor -%}
  {{ return(columns) }}
{%- endmacro %}

{# Sums and counts of each MCAS figure over a relation of sasid and the columns of `by`. #}
{% macro mcas_sums(members, by) -%}
  select
    {{ by | join(', ') }}
    {%- for indicator in mcas_indicators() %},
    sum({{ indicator }}) as {{ indicator }}_sum, count({{ indicator }}) as {{ indicator }}_count
    {%- endfor %}
  from {{ members }} as members
  inner join {{ ref('int_student_scores') }} as scores on members.sasid = scores.sasid
  group by {{ by | join(', ') }}
{%- endmacro %}

{# One row a figure of a relation of such sums by org_code, gradespan and student_group. #}
{% macro mcas_figures(sums) -%}
  {%- for indicator in mcas_indicators() %}
  select
    org_code, gradespan, student_group, '{{ indicator }}' as indicator,
    {{ indicator }}_sum as numerator, {{ indicator }}_count as denominator
  from {{ sums }}
  where {{ indicator }}_count > 0
  {{ 'union all' if not loop.last }}
  {%- endfor %}
{%- endmacro %}

{# Figures of int_mcas_figures or int_lowest_performing_figures with the measure of the year. #}
{% macro mcas_measures(figures, reporting) -%}
  select
    f.org_code, f.gradespan, f.student_group, f.indicator,
    case
      when f.indicator = 'chronic_absenteeism' then 'percent'
      when f.indicator like '%_growth' then 'mean_sgp'
      else r.measure
    end as measure,
    f.numerator, f.denominator,
    {{ var('school_year') }} as data_year,
    {{ reporting }} as reporting
  from {{ figures }} as f
  left join {{ ref('int_subject_rules') }} as r on f.indicator = r.subject || '_achievement' and f.gradespan = r.gradespan
{%- endmacro %}

{# Candidates for the lowest performing students of an organisation and gradespan, with their place from below in their grade and
   how many candidates the grade has. #}
{% macro lowest_performing_ranked() -%}
with last_year as (
  select
    sasid, school_code,
    case when ela_test_status = 'T' then ela_scaled_score end as ela,
    case when math_test_status = 'T' then math_scaled_score end as math
  from {{ ref('stg_mcas_prior') }}
),

candidates as (
  select
    c.sasid, c.grade, c.gradespan, c.school_code, c.district_code, p.ela, p.math,
    c.counts_in_school and p.school_code = c.school_code as counts_in_school,
    c.counts_in_district and substring(p.school_code, 1, 4) || '0000' = c.district_code as counts_in_district,
    c.counts_in_state
  from {{ ref('int_placed_students') }} as c
  inner join last_year as p on c.sasid = p.sasid
  where c.gradespan = 'non_high'
  union all
  select
    c.sasid, c.grade, c.gradespan, c.school_code, c.district_code, t.ela_ranking as ela, t.math_ranking as math,
    c.counts_in_school, c.counts_in_district, c.counts_in_state
  from {{ ref('int_placed_students') }} as c
  inner join {{ ref('int_student_scores') }} as t on c.sasid = t.sasid
  where c.gradespan = 'high'
),

scored as (
  select *, coalesce(ela, math) + coalesce(math, ela) as score
  from candidates as c
  where coalesce(ela, math) is not null
    and exists (
      select 1
      from {{ ref('int_subject_rules') }} as r
      where r.subject <> 'science' and r.gradespan = c.gradespan and position(c.grade in r.tested_grades) > 0
    )
),

by_place as (
  {{ counted_places('scored', ['gradespan', 'grade', 'sasid', 'score']) }}
)

select
  org_code, org_type, gradespan, sasid,
  rank() over (partition by org_code, grade order by score) as place,
  count(*) over (partition by org_code, grade) as candidates
from by_place
{%- endmacro %}
