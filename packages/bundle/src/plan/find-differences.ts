// How two documents differ, field by field. Lists with identities are compared by their keys, and what the server fills
// in by itself is no difference: a second plan finds nothing.

import { type DocumentPath, formatPath, isFields, type Step } from './document-path.ts';

export interface Difference {
  /** `tasks[ingest].new_cluster.num_workers` */
  readonly path: string;
  readonly steps: DocumentPath;
  readonly before: unknown;
  readonly after: unknown;
}

/** What is no difference between two documents of a kind. */
export interface ComparisonRules {
  /** The field by which the elements of a list are known, by the list's own field. */
  readonly listKeys: Readonly<Record<string, string>>;
  /** Lists of texts whose order means nothing. */
  readonly sets: readonly string[];
  /** A field with this value means the same as a field that is absent. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Maps whose keys belong to the user: nothing in them is a default. */
  readonly userMaps: readonly string[];
}

export function findDifferences(before: unknown, after: unknown, rules: ComparisonRules): Difference[] {
  const differences: Difference[] = [];
  const comparison = new Comparison(rules, differences);
  comparison.compare(comparison.prune(before, '') ?? {}, comparison.prune(after, '') ?? {}, []);
  return differences;
}

/** What people must write of a document: without defaults, and without what is empty. */
export function pruneDefaults(document: unknown, rules: ComparisonRules): unknown {
  return new Comparison(rules, []).prune(document, '');
}

class Comparison {
  private readonly rules: ComparisonRules;
  private readonly differences: Difference[];

  constructor(rules: ComparisonRules, differences: Difference[]) {
    this.rules = rules;
    this.differences = differences;
  }

  compare(before: unknown, after: unknown, steps: DocumentPath): void {
    if (isFields(before) && isFields(after)) {
      for (const key of sortedUnion(Object.keys(before), Object.keys(after))) {
        this.compare(before[key], after[key], [...steps, key]);
      }
    } else if (Array.isArray(before) && Array.isArray(after)) {
      this.compareLists(before, after, steps);
    } else if (!Object.is(before, after)) {
      this.differences.push({ path: formatPath(steps), steps, before, after });
    }
  }

  private compareLists(before: readonly unknown[], after: readonly unknown[], steps: DocumentPath): void {
    const name = steps.at(-1);
    const first = typeof name === 'string' ? this.keyElements(before, name) : null;
    const second = typeof name === 'string' ? this.keyElements(after, name) : null;
    const keyed = first !== null && second !== null;
    const left = keyed ? first : byIndex(before);
    const right = keyed ? second : byIndex(after);
    for (const [key, { step }] of new Map([...right, ...left])) {
      this.compare(left.get(key)?.element, right.get(key)?.element, [...steps, step]);
    }
  }

  /** null: not a list with identities. */
  private keyElements(list: readonly unknown[], name: string): Elements | null {
    const isSet = this.rules.sets.includes(name) && list.every((element) => typeof element === 'string');
    const field = isSet ? '' : this.rules.listKeys[name];
    if (field === undefined) return null;
    const keyed: Elements = new Map();
    for (const element of list) {
      const key = field === '' ? element : isFields(element) ? element[field] : undefined;
      if (typeof key !== 'string' || keyed.has(key)) return null;
      keyed.set(key, { step: [field, key], element });
    }
    return keyed;
  }

  prune(value: unknown, name: string): unknown {
    if (Array.isArray(value))
      return value.length === 0 ? undefined : value.map((element) => this.prune(element, ''));
    if (!isFields(value)) return value ?? undefined;
    const { userMaps, defaults } = this.rules;
    const isUserMap = userMaps.includes(name);
    const kept = Object.entries(value).flatMap(([key, field]): [string, unknown][] => {
      const pruned = this.prune(field, key);
      const isDefault = !isUserMap && Object.hasOwn(defaults, key) && pruned === defaults[key];
      return pruned === undefined || isDefault ? [] : [[key, pruned]];
    });
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
  }
}

type Elements = Map<string, { readonly step: Step; readonly element: unknown }>;

function sortedUnion(first: readonly string[], second: readonly string[]): string[] {
  return [...new Set([...first, ...second])].sort();
}

function byIndex(list: readonly unknown[]): Elements {
  return new Map(list.map((element, index) => [String(index), { step: index, element }]));
}
