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

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
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

const filesMade = 200;

/** What a new small file costs: an attempt's folder holds several, and some file systems slow down after deletions. */
export function measureNewFile(): number {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-bench-files-'));
  try {
    const values: number[] = [];
    for (let index = 0; index < filesMade; index++) {
      const startedAt = performance.now();
      fs.writeFileSync(path.join(folder, String(index)), 'x');
      values.push(performance.now() - startedAt);
    }
    return median(values);
  } finally {
    fs.rmSync(folder, { recursive: true });
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

export interface Figure {
  readonly what: string;
  readonly value: number;
  /** At most this. */
  readonly target: number;
  readonly inUnits: (value: number) => string;
  /** What the value is measured against, and how it is called. */
  readonly floor?: { readonly value: number; readonly name: string };
}

/** A figure with a target: met or missed, and how far it is from what the machine allows. */
export function printFigure({ what, value, target, inUnits, floor }: Figure): void {
  const verdict = value <= target ? 'met' : 'MISSED';
  const ratio = floor ? `; ${(value / floor.value).toFixed(1)} × ${floor.name}` : '';
  printRow(what, inUnits(value), `target ${inUnits(target)}: ${verdict}${ratio}`);
}

/** A share that must not fall below its target. */
export function printShare({ what, value, target }: Pick<Figure, 'what' | 'value' | 'target'>): void {
  const verdict = value >= target ? 'met' : 'MISSED';
  printRow(what, asRatio(value), `target at least ${asRatio(target)}: ${verdict}`);
}

export function inMs(value: number): string {
  return `${value.toFixed(value < 1 ? 3 : value < 10 ? 2 : 0)} ms`;
}

export function asCount(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

export function asRatio(value: number): string {
  return `× ${value.toFixed(2)}`;
}

const bytesPerMegabyte = 1_000_000;

export function inMegabytes(bytes: number): string {
  return `${(bytes / bytesPerMegabyte).toFixed(0)} MB`;
}
