{{ config(materialized='table') }}

SELECT order_date, COUNT(*) AS orders, SUM(amount) AS amount
FROM {{ ref('orders') }}
GROUP BY order_date
