// Replaces `${path}` in every text by what the path names. A text that is one reference takes the value whole, with
// its type; ids of resources stay as written, because only a deployment knows them.

import {
  type Entry,
  type MappingNode,
  mapScalars,
  type Node,
  at as nodeAt,
  type Path,
  type ScalarNode,
  scalarNode,
} from '../nodes.ts';
import { errorAt, type Position, type Problem } from '../problem.ts';

/** A name with at least one dot: `${HOME}` in a build command is the shell's. Innermost first, so that they nest. */
const REFERENCE = /\$\{([A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\])*\.[\w-]+(?:\[\d+\])*)\}/g;
const RESOURCE_ID = /^resources\.([\w-]+)\.([\w-]+)\.id$/;
/** References that give references in turn; a real chain has two or three links. */
const DEPTH_MAX = 30;

export interface Interpolation {
  readonly root: MappingNode;
  readonly problems: readonly Problem[];
}

export function interpolate(root: MappingNode, variables: ReadonlyMap<string, Node | null>): Interpolation {
  const interpolator = new Interpolator(root, variables);
  const entries = [...root.entries].map(([key, entry]): [string, Entry] => [
    key,
    // What other targets and the declarations say is not part of the result.
    key === 'targets' || key === 'variables'
      ? entry
      : { ...entry, value: interpolator.resolve(entry.value, []) },
  ]);
  return { root: { ...root, entries: new Map(entries) }, problems: interpolator.problems };
}

class Interpolator {
  readonly problems: Problem[] = [];
  private readonly memo = new Map<string, Node | null>();
  private readonly root: MappingNode;
  private readonly variables: ReadonlyMap<string, Node | null>;

  constructor(root: MappingNode, variables: ReadonlyMap<string, Node | null>) {
    this.root = root;
    this.variables = variables;
  }

  resolve(node: Node, trail: readonly string[]): Node {
    return mapScalars(node, (scalar) => this.resolveScalar(scalar, trail));
  }

  private resolveScalar(scalar: ScalarNode, trail: readonly string[]): Node {
    if (typeof scalar.value !== 'string' || !scalar.value.includes('${')) return scalar;
    let text = scalar.value;
    for (let round = 0; round < DEPTH_MAX; round += 1) {
      const whole = [...text.matchAll(REFERENCE)];
      const [only] = whole;
      if (whole.length === 1 && only?.[0] === text) {
        const value = this.lookUp(only[1] ?? '', scalar.at, trail);
        if (value === null || value === 'later') return scalarNode(text, scalar.at);
        return value.kind === 'scalar' ? scalarNode(value.value, scalar.at) : value;
      }
      const replaced = text.replace(REFERENCE, (match, path: string) =>
        this.textOf(match, path, scalar.at, trail),
      );
      if (replaced === text) break;
      text = replaced;
    }
    return scalarNode(text, scalar.at);
  }

  private textOf(match: string, path: string, at: Position, trail: readonly string[]): string {
    const value = this.lookUp(path, at, trail);
    if (value === null || value === 'later') return match;
    if (value.kind === 'scalar') return String(value.value ?? '');
    this.problems.push(errorAt(at, `\${${path}} is a ${value.kind}, which cannot stand inside a text`));
    return match;
  }

  /** null after a problem was noted. */
  private lookUp(path: string, at: Position, trail: readonly string[]): Node | 'later' | null {
    if (trail.includes(path)) {
      this.problems.push(errorAt(at, `these references lead in a circle: ${[...trail, path].join(' -> ')}`));
      return null;
    }
    const resource = RESOURCE_ID.exec(path);
    if (resource !== null) return this.checkResource(path, resource, at);
    const known = this.memo.get(path);
    if (known !== undefined) return known;
    const keys = toPath(path);
    const found = keys[0] === 'var' ? this.findVariable(keys, at) : nodeAt(this.root, ...keys);
    if (found === null) return null;
    if (found === undefined) {
      this.problems.push(errorAt(at, `\${${path}} refers to nothing in this bundle`));
      return null;
    }
    const value = this.resolve(found, [...trail, path]);
    this.memo.set(path, value);
    return value;
  }

  private findVariable(keys: Path, at: Position): Node | undefined | null {
    const name = String(keys[1]);
    if (!this.variables.has(name)) {
      const known = [...this.variables.keys()].join(', ') || 'none';
      this.problems.push(
        errorAt(at, `variable '${name}' is not declared under variables; declared are: ${known}`),
      );
      return null;
    }
    const value = this.variables.get(name) ?? null;
    if (value !== null) return nodeAt(value, ...keys.slice(2));
    this.problems.push(
      errorAt(
        at,
        `variable '${name}' has neither a default nor a value; give one with --var ${name}=<value>, BUNDLE_VAR_${name} or in the target`,
      ),
    );
    return null;
  }

  private checkResource(
    path: string,
    [, kind = '', key = '']: RegExpExecArray,
    at: Position,
  ): 'later' | null {
    if (nodeAt(this.root, 'resources', kind, key) !== undefined) return 'later';
    this.problems.push(errorAt(at, `\${${path}}: resources.${kind}.${key} does not exist in this bundle`));
    return null;
  }
}

function toPath(path: string): Path {
  return path.split(/[.[]/).map((part) => (part.endsWith(']') ? Number(part.slice(0, -1)) : part));
}

/** Resource ids that a text still waits for, as `jobs.flights_daily`. */
export function pendingResources(text: string): { kind: string; key: string; match: string }[] {
  return [...text.matchAll(REFERENCE)].flatMap((match) => {
    const resource = RESOURCE_ID.exec(match[1] ?? '');
    return resource === null ? [] : [{ kind: resource[1] ?? '', key: resource[2] ?? '', match: match[0] }];
  });
}
