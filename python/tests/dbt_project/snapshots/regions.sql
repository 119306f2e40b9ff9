{% snapshot regions_history %}
{{ config(target_schema=target.schema, unique_key='region', strategy='check', check_cols=['amount'], file_format='delta') }}
select region, amount from {{ ref('region_amount') }}
{% endsnapshot %}
