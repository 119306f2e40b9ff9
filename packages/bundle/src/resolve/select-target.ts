// Which target a command means, by the rules of the file format: the named one, else the default, else the only one.

import type { LoadedBundle } from '../load/load-bundle.ts';
import { emptyMapping, entriesAt, type MappingNode, positionOf, scalarAt, textAt } from '../nodes.ts';
import { errorAt, type Problem } from '../problem.ts';

export interface Target {
  readonly name: string;
  readonly node: MappingNode;
}

export interface TargetChoice {
  readonly target: Target | null;
  readonly problems: readonly Problem[];
}

/** A bundle without targets has one, which is called so. */
const ONLY_TARGET = 'default';

export function selectTarget(loaded: Pick<LoadedBundle, 'root'>, wanted: string | undefined): TargetChoice {
  const { root } = loaded;
  const targets = entriesAt(root, 'targets').map(
    ([name, entry]): Target => ({
      name,
      node: entry.value.kind === 'mapping' ? entry.value : emptyMapping(entry.keyAt),
    }),
  );
  const names = targets.map((target) => target.name).join(', ');
  const at = positionOf(root, ['targets']);
  const refuse = (message: string): TargetChoice => ({ target: null, problems: [errorAt(at, message)] });
  if (targets.length === 0) {
    if (wanted !== undefined)
      return refuse(`there is no target '${wanted}': the bundle declares no targets; leave --target out`);
    return { target: { name: ONLY_TARGET, node: emptyMapping(at) }, problems: [] };
  }
  if (wanted !== undefined) {
    const found = targets.find((target) => target.name === wanted);
    return found === undefined
      ? refuse(`there is no target '${wanted}'; the targets are ${names}`)
      : { target: found, problems: [] };
  }
  const defaults = targets.filter((target) => scalarAt(target.node, 'default') === true);
  if (defaults.length > 1) {
    return refuse(
      `more than one target says default: true (${defaults.map((target) => target.name).join(', ')}); keep one or use --target`,
    );
  }
  const [only] = defaults.length === 1 ? defaults : targets;
  if (only !== undefined && (defaults.length === 1 || targets.length === 1))
    return { target: only, problems: [] };
  return refuse(`no target says default: true and there is more than one; choose with --target: ${names}`);
}

/** The server a target names, before anything else is resolved: the facts that resolving needs come from there. */
export function readWorkspaceHost(
  loaded: Pick<LoadedBundle, 'root'>,
  wanted: string | undefined,
): string | null {
  const { target } = selectTarget(loaded, wanted);
  const host = textAt(target?.node, 'workspace', 'host') ?? textAt(loaded.root, 'workspace', 'host');
  return host === null || host.includes('${') ? null : host.replace(/\/+$/, '');
}
