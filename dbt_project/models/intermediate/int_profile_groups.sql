-- The groups of every profile that a student of the year, of the year before, or of a cohort has.
with profiles as (
  {%- for attributes in ['int_student_attributes', 'int_student_attributes_prior', 'int_cohort_attributes'] %}
  select profile, race_ethnicity, is_low_income, is_english_learner, is_disabled from {{ ref(attributes) }}
  {{ 'union' if not loop.last }}
  {%- endfor %}
)

{{ student_groups('profiles', 'profile') }}
