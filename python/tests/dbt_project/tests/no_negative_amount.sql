select * from {{ ref('sales_log') }} where amount < {{ var('floor', 0) }}
