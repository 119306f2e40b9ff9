// The value of every declared variable: --var, then BUNDLE_VAR_<name>, variable-overrides.json, the target, the default.

import type { LoadedBundle } from '../load/load-bundle.ts';
import {
  type Entry,
  entriesAt,
  isEmpty,
  type MappingNode,
  type Node,
  at as nodeAt,
  scalarNode,
  textAt,
} from '../nodes.ts';
import { errorAt, type Position, type Problem, warningAt } from '../problem.ts';
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
  readonly declaredAt: ReadonlyMap<string, Position>;
  readonly problems: readonly Problem[];
}

const DECLARATION_KEYS = ['default', 'description', 'type', 'lookup'];

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
    else
      problems.push(
        errorAt(
          entry.keyAt,
          `target ${target.name} assigns variable '${name}', which is not declared under variables`,
        ),
      );
  }
  for (const name of Object.keys(inputs.vars)) {
    if (declarations.has(name)) continue;
    const known = [...declarations.keys()].join(', ') || 'none';
    problems.push(
      errorAt(
        { file: '--var', line: 1, column: 1 },
        `there is no variable '${name}'; declared are: ${known}`,
      ),
    );
  }
  const fromFile = readOverrides(loaded, target, declarations, problems);
  const values = new Map<string, Node | null>();
  for (const [name, declaration] of declarations) {
    const text = textInput(name, inputs);
    const fallback = nodeAt(declaration.value, 'default');
    const targetValue = assignedValue(assigned.get(name), declaration);
    const chosen = fromFile.get(name) ?? targetValue ?? fallback ?? null;
    const value = text === null ? chosen : parseText(text.value, text.source, chosen);
    if (value === null && !isEmpty(nodeAt(declaration.value, 'lookup'))) {
      problems.push(
        errorAt(
          declaration.keyAt,
          `variable '${name}': lookup is not supported yet; give the id with --var ${name}=<id>`,
        ),
      );
    }
    values.set(name, value);
  }
  return {
    values,
    declaredAt: new Map([...declarations].map(([name, entry]) => [name, entry.keyAt])),
    problems,
  };
}

function textInput(name: string, inputs: VariableInputs): { value: string; source: string } | null {
  const given = inputs.vars[name];
  if (given !== undefined) return { value: given, source: `--var ${name}` };
  const fromEnvironment = inputs.environment[`BUNDLE_VAR_${name}`];
  return fromEnvironment === undefined ? null : { value: fromEnvironment, source: `BUNDLE_VAR_${name}` };
}

/** A text from a command line takes the type of the value it stands in for: 4 where there was a number. */
function parseText(text: string, source: string, replaced: Node | null): Node {
  const at = { file: source, line: 1, column: 1 };
  const before = replaced?.kind === 'scalar' ? replaced.value : null;
  if (typeof before === 'number' && /^-?\d+(\.\d+)?$/.test(text)) return scalarNode(Number(text), at);
  if (typeof before === 'boolean' && (text === 'true' || text === 'false'))
    return scalarNode(text === 'true', at);
  return scalarNode(text, at);
}

function isDeclaration(value: Node): boolean {
  return (
    value.kind === 'mapping' &&
    value.entries.size > 0 &&
    [...value.entries.keys()].every((key) => DECLARATION_KEYS.includes(key))
  );
}

function assignedValue(assigned: Entry | undefined, declaration: Entry): Node | undefined {
  if (assigned === undefined || isEmpty(assigned.value)) return undefined;
  const isComplex = textAt(declaration.value, 'type') === 'complex';
  if (isDeclaration(assigned.value) && (!isComplex || nodeAt(assigned.value, 'default') !== undefined)) {
    return nodeAt(assigned.value, 'default');
  }
  return assigned.value;
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
    else problems.push(warningAt(entry.keyAt, `variable '${name}' is not declared; this value is not used`));
  }
  return values;
}
