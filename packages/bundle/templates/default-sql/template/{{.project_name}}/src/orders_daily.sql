CREATE OR REPLACE TABLE IDENTIFIER(:catalog || '.' || :schema || '.orders_daily') AS
SELECT order_date, COUNT(*) AS orders, SUM(amount) AS amount
FROM IDENTIFIER(:catalog || '.' || :schema || '.orders')
GROUP BY order_date;

SELECT * FROM IDENTIFIER(:catalog || '.' || :schema || '.orders_daily') ORDER BY order_date;
