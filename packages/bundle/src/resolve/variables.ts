// The value of every declared variable: --var, then BUNDLE_VAR_<name>, variable-overrides.json, the target, the default.
// A text given to a complex variable is read as JSON.

import { suggest } from '../find-nearest.ts';
import type { LoadedBundle } from '../load/load-bundle.ts';
import {
  type Entry,
  entriesAt,
  fromPlain,
  isEmpty,
  type MappingNode,
  type Node,
  at as nodeAt,
  scalarNode,
  textAt,
} from '../nodes.ts';
import { errorAt, type Position, type Problem, warningAt } from '../problem.ts';
import { type Lookup, readLookup } from './lookups.ts';
import type { Target } from './select-target.ts';

export interface VariableInputs {
  /** From --var name=value. */
  readonly vars: Readonly<Record<string, string>>;
  /** The caller's environment; only BUNDLE_VAR_<name> is read. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Variables {
  /** null: declared, but nothing gives it a value. */
  readonly values: ReadonlyMap<string, Node | null>;
  /** Those that take the id of something on the server, for want of a stronger value. */
  readonly lookups: readonly Lookup[];
  readonly declaredAt: ReadonlyMap<string, Position>;
  readonly problems: readonly Problem[];
}

const DECLARATION_KEYS = ['default', 'description', 'type', 'lookup'];
/** Deeper is a mistake, and would end the stack. */
const JSON_DEPTH_MAX = 100;

export function resolveVariables(
  loaded: Pick<LoadedBundle, 'root' | 'overrides'>,
  target: Target,
  inputs: VariableInputs,
): Variables {
  const problems: Problem[] = [];
  const declarations = new Map(entriesAt(loaded.root, 'variables'));
  const assigned = new Map(entriesAt(target.node, 'variables'));
  for (const [name, entry] of assigned) {
    if (declarations.has(name)) continue;
    if (isDeclaration(entry.value)) declarations.set(name, entry);
    else {
      const message = `target ${target.name} assigns variable '${name}', which is not declared under variables`;
      const cure = suggest(name, [...declarations.keys()], 'declare it under variables');
      problems.push(errorAt(entry.keyAt, message, cure));
    }
  }
  for (const name of Object.keys(inputs.vars)) {
    if (declarations.has(name)) continue;
    const known = [...declarations.keys()].join(', ') || 'none';
    const at = { file: '--var', line: 1, column: 1 };
    const cure = suggest(name, [...declarations.keys()], 'declare it under variables');
    problems.push(errorAt(at, `there is no variable '${name}'; declared are: ${known}`, cure));
  }
  const fromFile = readOverrides(loaded, target, declarations, problems);
  const values = new Map<string, Node | null>();
  const lookups: Lookup[] = [];
  for (const [name, declaration] of declarations) {
    const isComplex = readType(name, declaration, problems);
    const weak = fromFile.get(name) ?? fromBundle(declaration, assigned.get(name));
    const text = textInput(name, inputs);
    const given = text === null ? weak : fromText(text, { isComplex, replaced: weak }, problems);
    const lookup = given !== null && 'lookup' in given ? readLookup(name, given.lookup, problems) : null;
    const value = given === null || 'lookup' in given ? null : given;
    if (lookup !== null) lookups.push(lookup);
    if (value !== null) problems.push(...checkType(name, value, { isComplex, declaration }));
    values.set(name, value);
  }
  const declaredAt = new Map([...declarations].map(([name, entry]) => [name, entry.keyAt]));
  return { values, lookups, declaredAt, problems };
}

type Given = Node | { readonly lookup: Node } | null;

/** What the target says, else the declaration: each gives a value or a lookup. */
function fromBundle(declaration: Entry, assigned: Entry | undefined): Given {
  const isComplex = textAt(declaration.value, 'type') === 'complex';
  if (assigned !== undefined && !isEmpty(assigned.value)) {
    const isPart = isDeclaration(assigned.value);
    const hasDefault = nodeAt(assigned.value, 'default') !== undefined;
    const hasLookup = !isEmpty(nodeAt(assigned.value, 'lookup'));
    // The value of a complex variable may look like a declaration: `{description: …}`.
    if (!isPart || (isComplex && !hasDefault && !hasLookup)) return assigned.value;
    const own = ownValue(assigned.value);
    if (own !== null) return own;
  }
  return ownValue(declaration.value);
}

function ownValue(declaration: Node): Given {
  const fallback = nodeAt(declaration, 'default');
  // `default:` with nothing after it gives none.
  if (fallback !== undefined && !isEmpty(fallback)) return fallback;
  const lookup = nodeAt(declaration, 'lookup');
  return lookup === undefined || isEmpty(lookup) ? null : { lookup };
}

function isDeclaration(value: Node): boolean {
  return (
    value.kind === 'mapping' &&
    value.entries.size > 0 &&
    [...value.entries.keys()].every((key) => DECLARATION_KEYS.includes(key))
  );
}

function readType(name: string, declaration: Entry, problems: Problem[]): boolean {
  const { value } = declaration;
  if (value.kind !== 'mapping' && !isEmpty(value)) {
    const cure = `write ${name}: {default: <value>}`;
    problems.push(
      errorAt(declaration.keyAt, `variable '${name}' is declared by a mapping, not by a value`, cure),
    );
  }
  const type = nodeAt(value, 'type');
  if (type !== undefined && !isEmpty(type) && textAt(type) !== 'complex') {
    const cure = "write 'complex' for lists and mappings, and nothing for texts, numbers and booleans";
    problems.push(warningAt(type.at, `variable '${name}': this type is not known`, cure));
  }
  if (!isEmpty(nodeAt(value, 'default')) && !isEmpty(nodeAt(value, 'lookup'))) {
    const message = `variable '${name}' has a default, so its lookup is never made`;
    problems.push(errorAt(declaration.keyAt, message, 'keep one of them'));
  }
  return textAt(type) === 'complex';
}

function checkType(
  name: string,
  value: Node,
  { isComplex, declaration }: { isComplex: boolean; declaration: Entry },
): Problem[] {
  if (value.kind === 'scalar' || isComplex) return [];
  const message = `variable '${name}' has a ${value.kind} as its value but is not declared as complex`;
  return [warningAt(value.at, message, `add type: complex at line ${declaration.keyAt.line}`)];
}

interface TextInput {
  readonly value: string;
  readonly source: string;
}

function textInput(name: string, inputs: VariableInputs): TextInput | null {
  const given = Object.hasOwn(inputs.vars, name) ? inputs.vars[name] : undefined;
  if (given !== undefined) return { value: given, source: `--var ${name}` };
  const fromEnvironment = inputs.environment[`BUNDLE_VAR_${name}`];
  return fromEnvironment === undefined ? null : { value: fromEnvironment, source: `BUNDLE_VAR_${name}` };
}

/** A text from a command line takes the type of the value it stands in for: 4 where there was a number. */
function fromText(
  { value: text, source }: TextInput,
  { isComplex, replaced }: { isComplex: boolean; replaced: Given },
  problems: Problem[],
): Node {
  const at = { file: source, line: 1, column: 1 };
  if (isComplex) return fromJson(text, at, problems);
  const before =
    replaced !== null && 'kind' in replaced && replaced.kind === 'scalar' ? replaced.value : null;
  if (typeof before === 'number' && /^-?\d+(\.\d+)?$/.test(text)) return scalarNode(Number(text), at);
  if (typeof before === 'boolean' && (text === 'true' || text === 'false'))
    return scalarNode(text === 'true', at);
  return scalarNode(text, at);
}

function fromJson(text: string, at: Position, problems: Problem[]): Node {
  try {
    const value: unknown = JSON.parse(text);
    if (depthOf(value) <= JSON_DEPTH_MAX) return fromPlain(value, at);
    problems.push(errorAt(at, `the value is nested deeper than ${JSON_DEPTH_MAX} levels`, 'flatten it'));
  } catch {
    const cure = `give it as JSON, for example '{"num_workers": 2}'`;
    problems.push(errorAt(at, 'the value of a complex variable is not JSON', cure));
  }
  return scalarNode(null, at);
}

function depthOf(value: unknown): number {
  let depth = 0;
  let level: unknown[] = [value];
  while (level.length > 0 && depth <= JSON_DEPTH_MAX) {
    depth += 1;
    level = level.flatMap((entry) =>
      typeof entry === 'object' && entry !== null ? Object.values(entry) : [],
    );
  }
  return depth;
}

function readOverrides(
  loaded: Pick<LoadedBundle, 'overrides'>,
  target: Target,
  declarations: ReadonlyMap<string, Entry>,
  problems: Problem[],
): Map<string, Node> {
  const values = new Map<string, Node>();
  const files: (MappingNode | undefined)[] = [loaded.overrides.get(''), loaded.overrides.get(target.name)];
  for (const [name, entry] of files.flatMap((file) => [...(file?.entries ?? [])])) {
    if (declarations.has(name)) values.set(name, entry.value);
    else {
      const cure = suggest(name, [...declarations.keys()], 'declare it under variables');
      problems.push(
        warningAt(entry.keyAt, `variable '${name}' is not declared: this value is not used`, cure),
      );
    }
  }
  return values;
}
