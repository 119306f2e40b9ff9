/** Medians, and what a duration means on this machine: every number is printed beside what bounds it. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export async function repeat(times: number, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let index = 0; index < times; index++) values.push(await measure());
  return values;
}

/** What one durable commit costs at least here, in milliseconds. */
export function measureFdatasync(times = 200): number {
  const file = path.join(os.tmpdir(), `headrace-fdatasync-${process.pid}`);
  const descriptor = fs.openSync(file, 'w');
  try {
    const page = Buffer.alloc(8192, 1);
    const values: number[] = [];
    for (let index = 0; index < times; index++) {
      fs.writeSync(descriptor, page);
      const startedAt = performance.now();
      fs.fdatasyncSync(descriptor);
      values.push(performance.now() - startedAt);
    }
    return median(values);
  } finally {
    fs.closeSync(descriptor);
    fs.rmSync(file);
  }
}

export function describeMachine(): string {
  const [cpu] = os.cpus();
  return `${os.availableParallelism()} × ${cpu?.model.trim() ?? 'unknown'}, Node ${process.version}, ${describeLoad()}`;
}

export function describeLoad(): string {
  return `load ${(os.loadavg()[0] ?? 0).toFixed(1)}`;
}

export function printRow(what: string, value: string, target: string): void {
  console.log(`${what.padEnd(52)} ${value.padStart(10)}   ${target}`);
}

export function inMs(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}
