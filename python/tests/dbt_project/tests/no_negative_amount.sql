select * from {{ ref('sales') }} where amount < {{ var('floor', 0) }}
