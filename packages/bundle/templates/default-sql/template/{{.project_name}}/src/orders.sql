-- What comes in; replace the VALUES by your source.
CREATE SCHEMA IF NOT EXISTS IDENTIFIER(:catalog || '.' || :schema);

CREATE OR REPLACE TABLE IDENTIFIER(:catalog || '.' || :schema || '.orders') AS
SELECT * FROM VALUES
  (1, DATE '2026-03-01', 120.00),
  (2, DATE '2026-03-01', 80.50),
  (3, DATE '2026-03-02', 42.00)
  AS orders (order_id, order_date, amount);
