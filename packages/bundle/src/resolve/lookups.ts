// Variables whose value is the id of something on the server, named by what it is called there. Finding it needs a
// server, so a caller does that between two pure steps: collectLookups says what is wanted, resolveBundle takes the
// answers.

import { entriesAt, type Node, textAt } from '../nodes.ts';
import { errorAt, type Position, type Problem, warningAt } from '../problem.ts';

export const LOOKUP_KINDS = [
  'alert',
  'cluster',
  'cluster_policy',
  'dashboard',
  'instance_pool',
  'job',
  'metastore',
  'notification_destination',
  'pipeline',
  'query',
  'service_principal',
  'warehouse',
] as const;
export type LookupKind = (typeof LOOKUP_KINDS)[number];

export interface Lookup {
  readonly variable: string;
  readonly kind: LookupKind;
  /** References in it are replaced. */
  readonly name: string;
  readonly at: Position;
}

export type LookupAnswer =
  | { readonly kind: 'found'; readonly id: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'ambiguous'; readonly ids: readonly string[] }
  /** The server has no such things, or no way to list them. */
  | { readonly kind: 'unsupported' };

/** By the name of the variable. */
export type LookupAnswers = ReadonlyMap<string, LookupAnswer>;

/** `lookup: {<kind>: <name>}` as it is written; null after a problem was noted. */
export function readLookup(variable: string, node: Node, problems: Problem[]): Lookup | null {
  const [first, ...others] = entriesAt(node);
  const cure = `write lookup: {<kind>: <name>}, where a kind is one of ${LOOKUP_KINDS.join(', ')}`;
  const kind = LOOKUP_KINDS.find((known) => known === first?.[0]);
  const name = textAt(first?.[1].value);
  if (first === undefined || others.length > 0) {
    problems.push(errorAt(node.at, `variable '${variable}': a lookup names exactly one thing`, cure));
  } else if (kind === undefined) {
    const message = `variable '${variable}': '${first[0]}' is nothing that can be looked up`;
    problems.push(errorAt(first[1].keyAt, message, cure));
  } else if (name === null || name === '') {
    // Lists and mappings are named where the types of the file are checked.
    if (first[1].value.kind !== 'scalar') return null;
    const message = `variable '${variable}': lookup.${kind} must be the name of a ${toWords(kind)}`;
    problems.push(errorAt(first[1].keyAt, message, cure));
  } else {
    return { variable, kind, name, at: first[1].value.at };
  }
  return null;
}

/** The id, or null after a problem was noted. */
export function readAnswer(
  lookup: Lookup,
  answers: LookupAnswers | undefined,
  problems: Problem[],
): string | null {
  const { variable, kind, name, at } = lookup;
  const cure = `check the name, or give the id with --var ${variable}=<id>`;
  const answer = answers?.get(variable);
  const what = `variable '${variable}':`;
  if (answer === undefined) {
    const message = `${what} the ${toWords(kind)} '${name}' was not looked up; what refers to it stays open`;
    problems.push(warningAt(at, message));
    return null;
  }
  switch (answer.kind) {
    case 'found':
      return answer.id;
    case 'missing':
      problems.push(errorAt(at, `${what} there is no ${toWords(kind)} named '${name}'`, cure));
      return null;
    case 'ambiguous': {
      const ids = answer.ids.slice(0, IDS_SHOWN).join(', ');
      const more = answer.ids.length > IDS_SHOWN ? ', …' : '';
      const message = `${what} ${answer.ids.length} ${toWords(kind)}s are named '${name}': ${ids}${more}`;
      problems.push(errorAt(at, message, `rename one, or give the id with --var ${variable}=<id>`));
      return null;
    }
    case 'unsupported': {
      const message = `${what} this server has no ${toWords(kind)}s to look up`;
      problems.push(errorAt(at, message, `give the id with --var ${variable}=<id>`));
      return null;
    }
  }
}

const IDS_SHOWN = 5;

function toWords(kind: LookupKind): string {
  return kind.replaceAll('_', ' ');
}
