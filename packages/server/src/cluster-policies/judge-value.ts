/** Whether one value passes one rule. */
import vm from 'node:vm';
import { sparkVersions } from '../compute/node-types.ts';
import type { Scalar } from './attribute-path.ts';
import type { RuleDocument } from './policy-rule.ts';

/** A pattern that needs longer for one value is one that goes back and forth; requests must not wait for it. */
const patternTimeoutMs = 100;
const shownValuesMax = 10;

/** Null: it passes. Else what the rule wants, to follow "the value". */
export function judgeValue(value: Scalar, rule: RuleDocument): string | null {
  switch (rule.type) {
    case 'forbidden':
      return 'must not be set';
    case 'unlimited':
      return null;
    case 'fixed':
      return isSame(value, rule.value) ? null : `must be ${show(resolveAuto(rule.value))}`;
    case 'allowlist':
      if (rule.values.some((allowed) => isSame(value, allowed))) return null;
      return `must be one of ${showAll(rule.values)}`;
    case 'blocklist':
      if (!rule.values.some((blocked) => isSame(value, blocked))) return null;
      return `must not be any of ${showAll(rule.values)}`;
    case 'regex':
      return judgePattern(value, rule.pattern);
    case 'range':
      return judgeRange(value, rule);
  }
}

/** Numbers and booleans are also written as texts, in configurations always. */
function isSame(value: Scalar, wanted: Scalar): boolean {
  return String(value) === String(wanted) || String(value) === String(resolveAuto(wanted));
}

/** `auto:latest-lts` and its kin, which policies write for runtime versions. */
export function resolveAuto(value: Scalar): Scalar {
  if (typeof value !== 'string' || !value.startsWith('auto:')) return value;
  return (value.startsWith('auto:prev') ? sparkVersions[1] : sparkVersions[0]).key;
}

function judgeRange(
  value: Scalar,
  { minValue: min, maxValue: max }: Extract<RuleDocument, { type: 'range' }>,
): string | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) return 'must be a number';
  if (min !== undefined && number < min) return `must be at least ${min}`;
  return max !== undefined && number > max ? `must be at most ${max}` : null;
}

function judgePattern(value: Scalar, pattern: string): string | null {
  const wanted = `must match the pattern ${pattern}`;
  try {
    return compilePattern(pattern)(String(value)) ? null : wanted;
  } catch {
    return `${wanted}, and needs more than ${patternTimeoutMs} ms to compare with it`;
  }
}

const sandbox = vm.createContext(Object.create(null) as object);
const comparing = new vm.Script('new RegExp(source, flags).test(text)');

/** The whole value, as the hosted product compares. Throws for a pattern that is none, and for one that takes long. */
export function compilePattern(pattern: string): (text: string) => boolean {
  const [, hasFlag, source = ''] = /^(\(\?i\))?(.*)$/s.exec(pattern) ?? [];
  const anchored = `^(?:${source})$`;
  const flags = hasFlag === undefined ? 'su' : 'isu';
  new RegExp(anchored, flags);
  return (text) => {
    Object.assign(sandbox, { source: anchored, flags, text });
    return comparing.runInContext(sandbox, { timeout: patternTimeoutMs }) === true;
  };
}

function showAll(values: readonly Scalar[]): string {
  const shown = values.slice(0, shownValuesMax).map((value) => show(resolveAuto(value)));
  const more = values.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

export function show(value: Scalar): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
