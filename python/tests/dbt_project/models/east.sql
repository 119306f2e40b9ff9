{{ config(materialized='view') }}
select * from {{ ref('region_amount') }} where region = 'east'
