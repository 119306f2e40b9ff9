select region, sum(amount) as amount, count(*) as sales
from {{ ref('sales') }}
where amount > {{ var('least', 0) }}
group by region
