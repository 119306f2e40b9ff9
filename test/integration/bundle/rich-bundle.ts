// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
/** A bundle with one resource of each kind, each saying much: numbers that are texts, capitals, lists, defaults. */
export const RICH = `bundle: {name: rich}
resources:
  jobs:
    load:
      name: load
      description: loads
      timeout_seconds: 60
      max_concurrent_runs: 1
      tags: {team: data, level: 3}
      parameters:
        - {name: day, default: "1"}
        - {name: limit, default: 10}
      email_notifications: {on_failure: [b@example.com, a@example.com], no_alert_for_skipped_runs: true}
      webhook_notifications: {on_failure: [{id: w1}]}
      notification_settings: {no_alert_for_canceled_runs: true}
      health: {rules: [{metric: RUN_DURATION_SECONDS, op: GREATER_THAN, value: 10}]}
      queue: {enabled: true}
      schedule: {quartz_cron_expression: "0 0 2 * * ?", timezone_id: UTC, pause_status: PAUSED}
      job_clusters:
        - job_cluster_key: main
          new_cluster:
            spark_version: 17.x
            instance_pool_id: \${resources.instance_pools.pool.id}
            num_workers: 1
            spark_conf: {spark.sql.shuffle.partitions: 4}
            custom_tags: {cost: 12}
      tasks:
        - task_key: load
          job_cluster_key: main
          max_retries: 1
          min_retry_interval_millis: 2000
          notebook_task: {notebook_path: ./load.py, base_parameters: {n: 1}}
        - task_key: check
          depends_on: [{task_key: load}]
          existing_cluster_id: \${resources.clusters.shared.id}
          notebook_task: {notebook_path: ./load.py}
        - task_key: report
          depends_on: [{task_key: load}, {task_key: check}]
          run_if: ALL_DONE
          sql_task:
            warehouse_id: \${resources.sql_warehouses.reports.id}
            query: {query_id: "\${resources.queries.daily.id}"}
  clusters:
    shared:
      cluster_name: shared
      spark_version: 17.x
      node_type_id: headrace.small
      autoscale: {min_workers: 1, max_workers: 3}
      spark_conf: {"spark.sql.shuffle.partitions": 8}
      spark_env_vars: {LEVEL: 3}
      custom_tags: {team: data}
      aws_attributes: {availability: SPOT}
    governed:
      cluster_name: governed
      spark_version: 17.x
      num_workers: 1
      autotermination_minutes: 30
      policy_id: \${resources.cluster_policies.small.id}
      apply_policy_default_values: true
  instance_pools:
    pool:
      instance_pool_name: pool
      node_type_id: headrace.small
      min_idle_instances: 0
      custom_tags: {team: data}
  cluster_policies:
    small:
      name: small clusters
      description: for everybody
      definition: '{"spark_conf.spark.ui.enabled": {"type": "fixed", "value": "false"}, "node_type_id": {"type": "unlimited", "defaultValue": "headrace.small"}}'
      max_clusters_per_user: 5
    family:
      name: of a family
      policy_family_id: personal-vm
  sql_warehouses:
    reports:
      name: reports
      cluster_size: X-Small
      auto_stop_mins: 15
      max_num_clusters: 2
      channel: {name: CHANNEL_NAME_CURRENT}
      tags: {custom_tags: [{key: team, value: data}]}
  queries:
    daily:
      display_name: daily report
      query_text: select * from t where day = :day
      description: of the day
      warehouse_id: \${resources.sql_warehouses.reports.id}
      catalog: lake
      schema: bronze
      tags: [daily, gold]
      parameters:
        - {name: day, title: Day, date_value: {date_value: "2026-01-01"}}
      run_as_mode: OWNER
      apply_auto_limit: true
  alerts:
    late:
      display_name: late data
      query_text: select max(at) as last from t
      warehouse_id: \${resources.sql_warehouses.reports.id}
      evaluation:
        source: {name: last, aggregation: MAX}
        comparison_operator: LESS_THAN
        threshold: {value: {double_value: 5}}
        notification: {notify_on_ok: true, subscriptions: [{user_email: a@example.com}]}
      schedule: {quartz_cron_schedule: "0 0 * * * ?", timezone_id: UTC, pause_status: UNPAUSED}
      custom_summary: the data of \${resources.volumes.landing.volume_path} is late
  catalogs:
    lake:
      name: Lake
      comment: of the team
      properties: {owner_team: data, checked: "true"}
  schemas:
    bronze:
      name: Bronze
      catalog_name: \${resources.catalogs.lake.name}
      comment: raw data
      properties: {quality: raw, level: "1"}
  volumes:
    landing:
      name: Landing
      catalog_name: lake
      schema_name: bronze
      volume_type: MANAGED
      comment: files that arrive
  secret_scopes:
    keys:
      name: keys
      permissions:
        - {group_name: users, level: READ}
`;
