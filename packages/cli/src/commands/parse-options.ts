/** Values of options, checked where they enter. */
import { InvalidArgumentError } from 'commander';

/** Collects `--params key=value`, given once or several times. */
export function collectPairs(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('expected NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Collects `--only a,b`, given once or several times. */
export function collectKeys(text: string, before: readonly string[] = []): string[] {
  const keys = text.split(',').map((key) => key.trim());
  if (keys.some((key) => key === ''))
    throw new InvalidArgumentError('expected task keys, with commas between.');
  return [...before, ...keys];
}

/** Collects `--python-param x`, given once or several times. */
export function collectTexts(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** A position, from 0. */
export function parseIndex(text: string): number {
  const index = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(index))
    throw new InvalidArgumentError('expected a number from 0.');
  return index;
}

export function parseId(text: string): number {
  const id = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(id) || id === 0)
    throw new InvalidArgumentError('expected an id.');
  return id;
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected a port, 0 to 65535.');
  return port;
}

/** How many rows a list shows. */
export function parseLimit(max: number): (text: string) => number {
  return (text) => {
    const limit = Number(text);
    if (!/^\d+$/.test(text) || limit < 1 || limit > max)
      throw new InvalidArgumentError(`expected 1 to ${max}.`);
    return limit;
  };
}
