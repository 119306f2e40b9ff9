/**
 * Sends the measures to an OpenTelemetry collector: the same that /metrics shows, as OTLP over HTTP in JSON
 * (opentelemetry-proto 1.x, metrics/v1). Its own libraries would be a second set of counters beside the first.
 */
import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';
import type { Loop } from '../loops/driver.ts';

export interface OtlpOptions {
  readonly registry: Registry;
  /** Of the collector; `/v1/metrics` is added. */
  readonly url: string;
  readonly version: string;
  readonly clock: { nowMs(): number };
  /** Reads what only the store knows into the registry. */
  readonly refresh: () => Promise<void>;
}

const everyMs = 60_000;
const timeoutMs = 10_000;
const cumulative = 2;

export function createOtlpLoop({ registry, url, version, clock, refresh }: OtlpOptions): Loop {
  const startedAtMs = clock.nowMs();
  const target = new URL('v1/metrics', url.endsWith('/') ? url : `${url}/`);
  return {
    name: 'otlp',
    everyMs,
    async turn() {
      await refresh();
      const metrics = await registry.getMetricsAsJSON();
      const times = { startTimeUnixNano: nano(startedAtMs), timeUnixNano: nano(clock.nowMs()) };
      const response = await fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(toOtlp(metrics, { times, version })),
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (!response.ok) throw new Error(`the collector at ${target.host} answered ${response.status}`);
      return 'idle';
    },
  };
}

interface Times {
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
}
type Measure = MetricObjectWithValues<MetricValue<string>>;

export function toOtlp(
  metrics: readonly Measure[],
  { times, version }: { readonly times: Times; readonly version: string },
): object {
  const resource = { attributes: toAttributes({ 'service.name': 'headrace', 'service.version': version }) };
  const scope = { name: 'headrace', version };
  return {
    resourceMetrics: [
      { resource, scopeMetrics: [{ scope, metrics: metrics.flatMap((metric) => toMetric(metric, times)) }] },
    ],
  };
}

function toMetric(metric: Measure, times: Times): object[] {
  const { name, help: description, values } = metric;
  // Typed as an enum, told as a word.
  switch (String(metric.type)) {
    case 'counter':
      return [
        {
          name,
          description,
          sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints: values.map(toPoint) },
        },
      ];
    case 'gauge':
      return [{ name, description, gauge: { dataPoints: values.map(toPoint) } }];
    case 'histogram':
      return [
        {
          name,
          description,
          histogram: { aggregationTemporality: cumulative, dataPoints: toHistograms(metric, times) },
        },
      ];
    default:
      return []; // Summaries are not used here.
  }

  function toPoint({ value, labels }: MetricValue<string>): object {
    return { ...times, asDouble: value, attributes: toAttributes(labels) };
  }
}

/** Prometheus counts each bucket with all below it, OTLP alone; both by the labels other than `le`. */
function toHistograms({ name, values }: Measure, times: Times): object[] {
  const groups = new Map<
    string,
    { labels: object; bounds: number[]; counts: number[]; sum: number; count: number }
  >();
  for (const { value, labels, ...rest } of values) {
    const { le, ...others } = labels as Record<string, string | number>;
    const key = JSON.stringify(others);
    const group = groups.get(key) ?? { labels: others, bounds: [], counts: [], sum: 0, count: 0 };
    groups.set(key, group);
    const metricName = (rest as { metricName?: string }).metricName;
    if (metricName === `${name}_sum`) group.sum = value;
    else if (metricName === `${name}_count`) group.count = value;
    else {
      group.counts.push(value);
      if (le !== '+Inf') group.bounds.push(Number(le));
    }
  }
  return [...groups.values()].map(({ labels, bounds, counts, sum, count }) => ({
    ...times,
    attributes: toAttributes(labels),
    count: String(count),
    sum,
    explicitBounds: bounds,
    bucketCounts: counts.map((total, index) => String(total - (counts[index - 1] ?? 0))),
  }));
}

function toAttributes(labels: object): object[] {
  return Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: String(value) } }));
}

/** Beyond what a number holds exactly: as text, as the protocol wants it. */
const nano = (ms: number) => `${Math.trunc(ms)}000000`;
