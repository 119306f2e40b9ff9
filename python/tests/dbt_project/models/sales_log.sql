{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}
select id, region, amount from {{ ref('sales') }}
{% if is_incremental() %}
where id >= (select max(id) from {{ this }})
{% endif %}
