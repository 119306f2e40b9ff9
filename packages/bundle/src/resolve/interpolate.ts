// Replaces `${path}` in every text by what the path names. A text that is one reference takes the value whole, with
// its type. What only a deployment knows, as the ids of resources, stays as written. The format has no escape: `$$`
// before a brace is a dollar and a reference, and `${HOME}`, which has no dot, is the shell's.

import { suggest } from '../find-nearest.ts';
import {
  type Entry,
  entriesAt,
  isEmpty,
  type MappingNode,
  mapScalars,
  type Node,
  at as nodeAt,
  type Path,
  type ScalarNode,
  scalarNode,
} from '../nodes.ts';
import { errorAt, type Position, type Problem, warningAt } from '../problem.ts';
import { isKnownAfterDeploy } from './resource-kinds.ts';

/** A name with at least one dot: `${HOME}` in a build command is the shell's. Innermost first, so that they nest. */
const REFERENCE = /\$\{([A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\])*\.[\w-]+(?:\[\d+\])*)\}/g;
/** What was meant as a reference and is none. */
const MALFORMED = /\$\{\s*(?:var|bundle|workspace|resources)\.[^}]*\}?/g;
const RESOURCE = /^resources\.([\w-]+)\.([\w-]+)\.(.+)$/;
/** References that give references in turn; a real chain has two or three links. */
const LINKS_MAX = 30;
/** Of a value put in place of a reference, with what surrounds it: twice what one file may have. */
const DEPTH_MAX = 400;
/** What references may add to a bundle: variables that name each other twice double with each link. */
const VALUES_MAX = 500_000;
const TEXT_LENGTH_MAX = 1024 * 1024;

export interface Interpolation {
  readonly root: MappingNode;
  readonly problems: readonly Problem[];
}

export interface Bindings {
  /** null: declared, but nothing gives it a value. */
  readonly variables: ReadonlyMap<string, Node | null>;
  /** Variables whose references stay as written. */
  readonly open?: ReadonlySet<string>;
}

export function interpolate(root: MappingNode, variables: ReadonlyMap<string, Node | null>): Interpolation {
  return interpolateRoot(root, { variables });
}

export function interpolateRoot(root: MappingNode, bindings: Bindings): Interpolation {
  const interpolator = new Interpolator(root, bindings);
  const entries = [...root.entries].map(([key, entry]): [string, Entry] => [
    key,
    // What other targets and the declarations say is not part of the result.
    key === 'targets' || key === 'variables'
      ? entry
      : { ...entry, value: interpolator.resolve(entry.value, { trail: [], depth: 1 }) },
  ]);
  return { root: { ...root, entries: new Map(entries) }, problems: interpolator.problems };
}

/** One text of a bundle, before the rest of it is resolved. */
export function interpolateText(
  text: string,
  at: Position,
  { root, bindings, problems }: { root: MappingNode; bindings: Bindings; problems: Problem[] },
): string {
  const interpolator = new Interpolator(root, bindings);
  const resolved = interpolator.resolve(scalarNode(text, at), { trail: [], depth: 0 });
  problems.push(...interpolator.problems);
  return resolved.kind === 'scalar' ? String(resolved.value ?? '') : text;
}

/** How resolving came to a value. */
interface Way {
  readonly trail: readonly string[];
  readonly depth: number;
}

interface Extent {
  readonly values: number;
  readonly depth: number;
}

/** `later`: stays as written; null: a problem was noted. */
type Found = Node | 'later' | null;

class Interpolator {
  readonly problems: Problem[] = [];
  private readonly memo = new Map<string, Node>();
  /** Said once: what leads to itself would be followed along every way there is, which doubles with each variable. */
  private readonly failed = new Set<string>();
  private readonly extents = new WeakMap<Node, Extent>();
  private readonly root: MappingNode;
  private readonly bindings: Bindings;
  private added = 0;

  constructor(root: MappingNode, bindings: Bindings) {
    this.root = root;
    this.bindings = bindings;
  }

  resolve(node: Node, way: Way): Node {
    return mapScalars(node, (scalar, path) =>
      typeof scalar.value === 'string' && scalar.value.includes('${')
        ? this.resolveText(scalar, scalar.value, { ...way, depth: way.depth + path.length })
        : scalar,
    );
  }

  private resolveText(scalar: ScalarNode, written: string, way: Way): Node {
    let text = written;
    for (let round = 0; round < LINKS_MAX; round += 1) {
      const whole = [...text.matchAll(REFERENCE)];
      const [only] = whole;
      if (whole.length === 1 && only?.[0] === text) {
        const value = this.lookUp(only[1] ?? '', scalar.at, way);
        if (value === null || value === 'later') return scalarNode(text, scalar.at);
        return value.kind === 'scalar' ? scalarNode(value.value, scalar.at) : this.place(value, scalar, way);
      }
      const replaced = text.replace(REFERENCE, (match, path: string) =>
        this.textOf(match, path, scalar.at, way),
      );
      if (replaced === text) break;
      text = replaced;
      if (text.length > TEXT_LENGTH_MAX) {
        this.problems.push(
          errorAt(
            scalar.at,
            `this text is longer than ${TEXT_LENGTH_MAX} characters once its references are replaced`,
            'let it refer to less',
          ),
        );
        for (const link of way.trail) this.failed.add(link);
        return scalarNode(written, scalar.at);
      }
    }
    this.noteMalformed(text, scalar.at);
    return scalarNode(text, scalar.at);
  }

  private textOf(match: string, path: string, at: Position, way: Way): string {
    const value = this.lookUp(path, at, way);
    if (value === null || value === 'later') return match;
    if (value.kind === 'scalar') return String(value.value ?? '');
    this.problems.push(
      errorAt(
        at,
        `\${${path}} is a ${value.kind}, which cannot stand inside a text`,
        'let it be the whole value, or name a part of it',
      ),
    );
    return match;
  }

  private place(value: Node, scalar: ScalarNode, way: Way): Node {
    const extent = this.measure(value);
    this.added += extent.values;
    if (this.added <= VALUES_MAX && way.depth + extent.depth <= DEPTH_MAX) return value;
    const what =
      this.added > VALUES_MAX ? `more than ${VALUES_MAX} values` : `more than ${DEPTH_MAX} levels of nesting`;
    this.problems.push(
      errorAt(scalar.at, `the bundle has ${what} once its references are replaced`, 'let it refer to less'),
    );
    return scalarNode(null, scalar.at);
  }

  private measure(node: Node): Extent {
    if (node.kind === 'scalar') return { values: 1, depth: 1 };
    const known = this.extents.get(node);
    if (known !== undefined) return known;
    const children =
      node.kind === 'list' ? node.entries : [...node.entries.values()].map(({ value }) => value);
    let values = 1;
    let depth = 0;
    for (const child of children) {
      const extent = this.measure(child);
      values += extent.values;
      depth = Math.max(depth, extent.depth);
    }
    const extent = { values, depth: depth + 1 };
    this.extents.set(node, extent);
    return extent;
  }

  private lookUp(path: string, at: Position, { trail, depth }: Way): Found {
    if (trail.includes(path)) {
      this.problems.push(
        errorAt(
          at,
          `these references lead in a circle: ${[...trail, path].join(' -> ')}`,
          'give one of them a value of its own',
        ),
      );
      for (const link of trail.slice(trail.indexOf(path))) this.failed.add(link);
      return null;
    }
    if (this.failed.has(path)) return null;
    if (trail.length >= LINKS_MAX || depth > DEPTH_MAX) {
      this.problems.push(
        errorAt(at, `more than ${LINKS_MAX} references lead from one to the next here`, 'shorten the chain'),
      );
      return null;
    }
    const known = this.memo.get(path);
    if (known !== undefined) return known;
    const found = this.find(path, at);
    if (found === null || found === 'later') return found;
    const value = this.resolve(found, { trail: [...trail, path], depth });
    if (this.failed.has(path)) return null;
    this.memo.set(path, value);
    return value;
  }

  private find(path: string, at: Position): Found {
    const resource = RESOURCE.exec(path);
    if (resource !== null) return this.findResource(path, resource, at);
    const keys = toPath(path);
    const found = keys[0] === 'var' ? this.findVariable(keys, at) : nodeAt(this.root, ...keys);
    if (found === null || found === 'later') return found;
    if (found !== undefined && !isEmpty(found)) return found;
    if (GIT_FACTS.includes(path)) {
      const message = `\${${path}} is not known: the folder is in no Git repository that says it; an empty text takes its place`;
      this.problems.push(warningAt(at, message, 'call from a clone of the repository'));
      return scalarNode('', at);
    }
    if (found !== undefined) return found;
    this.problems.push(
      errorAt(at, `\${${path}} refers to nothing in this bundle`, suggestField(this.root, keys)),
    );
    return null;
  }

  private findVariable(keys: Path, at: Position): Found | undefined {
    const name = String(keys[1]);
    const { variables, open } = this.bindings;
    if (!variables.has(name)) {
      const known = [...variables.keys()].join(', ') || 'none';
      const message = `variable '${name}' is not declared under variables; declared are: ${known}`;
      this.problems.push(
        errorAt(at, message, suggest(name, [...variables.keys()], 'declare it under variables')),
      );
      return null;
    }
    if (open?.has(name)) return 'later';
    const value = variables.get(name) ?? null;
    if (value !== null) return nodeAt(value, ...keys.slice(2));
    const message = `variable '${name}' has neither a default nor a value; give one with --var ${name}=<value>, BUNDLE_VAR_${name} or in the target`;
    this.problems.push(errorAt(at, message));
    return null;
  }

  private findResource(
    path: string,
    [, kind = '', key = '', field = '']: RegExpExecArray,
    at: Position,
  ): Found {
    const resource = nodeAt(this.root, 'resources', kind, key);
    if (resource === undefined) {
      const message = `\${${path}}: resources.${kind}.${key} does not exist in this bundle`;
      const known = entriesAt(this.root, 'resources', kind).map(([other]) => other);
      this.problems.push(
        errorAt(at, message, suggest(key, known, `add it under resources.${kind}, or correct the name`)),
      );
      return null;
    }
    const keys = toPath(field);
    const written = field === 'id' ? undefined : nodeAt(resource, ...keys);
    if (written !== undefined && !isEmpty(written)) return written;
    if (isKnownAfterDeploy(kind, String(keys[0]))) return 'later';
    this.problems.push(
      errorAt(
        at,
        `\${${path}}: resources.${kind}.${key} has no field '${field}'`,
        'name a field that it gives, or that the server gives it',
      ),
    );
    return null;
  }

  private noteMalformed(text: string, at: Position): void {
    if (!text.includes('${')) return;
    for (const [whole] of text.replace(REFERENCE, '').matchAll(MALFORMED)) {
      const message = `'${whole.slice(0, 60)}' looks like a reference but is none, and stays as it is`;
      this.problems.push(
        warningAt(at, message, 'names stand between dots, without blanks, and the brace is closed'),
      );
    }
  }
}

/** The nearest field of the last mapping that the path leads to. */
function suggestField(root: Node, path: Path): string {
  let node: Node | undefined = root;
  for (const key of path) {
    const next: Node | undefined = nodeAt(node, key);
    if (next === undefined)
      return suggest(
        String(key),
        entriesAt(node).map(([known]) => known),
        'correct the name',
      );
    node = next;
  }
  return 'correct the name';
}

const GIT_FACTS = ['bundle.git.branch', 'bundle.git.commit', 'bundle.git.origin_url'];

function toPath(path: string): Path {
  return path.split(/[.[]/).map((part) => (part.endsWith(']') ? Number(part.slice(0, -1)) : part));
}

export interface PendingResource {
  readonly kind: string;
  readonly key: string;
  /** Nearly always `id`. */
  readonly field: string;
  readonly match: string;
}

/** What a text still waits for of resources that a deployment makes, as the id of `jobs.flights_daily`. */
export function pendingResources(text: string): PendingResource[] {
  if (!text.includes('${resources.')) return [];
  return [...text.matchAll(REFERENCE)].flatMap((match) => {
    const [, kind = '', key = '', field = ''] = RESOURCE.exec(match[1] ?? '') ?? [];
    return kind === '' ? [] : [{ kind, key, field, match: match[0] }];
  });
}

/** A text that is one reference which nobody has resolved: to a resource not yet made, or to a lookup not made. */
export function isOpenReference(text: string): boolean {
  const [only, ...others] = text.startsWith('${') ? [...text.matchAll(REFERENCE)] : [];
  return only?.[0] === text && others.length === 0;
}
