/** What is wrong with a graph that someone wants to save, in words that name the tasks. */

export interface GraphNode {
  readonly key: string;
  readonly dependsOn: readonly string[];
}

export interface GraphProblem {
  readonly kind: 'duplicate_key' | 'unknown_dependency' | 'self_dependency' | 'cycle';
  /** The offending task keys; of a cycle, in the order of the arrows. */
  readonly keys: readonly string[];
  readonly message: string;
}

export function findGraphProblems(nodes: readonly GraphNode[]): GraphProblem[] {
  const problems = [...duplicateKeys(nodes), ...wrongDependencies(nodes)];
  const cycle = findCycle(nodes);
  if (cycle)
    problems.push({
      kind: 'cycle',
      keys: cycle,
      message: `tasks depend on each other in a circle: ${[...cycle, cycle[0]].join(' → ')}`,
    });
  return problems;
}

function duplicateKeys(nodes: readonly GraphNode[]): GraphProblem[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { key } of nodes) (seen.has(key) ? twice : seen).add(key);
  return [...twice].map((key) => ({
    kind: 'duplicate_key',
    keys: [key],
    message: `task key '${key}' is used more than once`,
  }));
}

function wrongDependencies(nodes: readonly GraphNode[]): GraphProblem[] {
  const keys = new Set(nodes.map((node) => node.key));
  return nodes.flatMap((node) =>
    [...new Set(node.dependsOn)].flatMap((parent): GraphProblem[] => {
      if (parent === node.key) {
        return [
          { kind: 'self_dependency', keys: [node.key], message: `task '${node.key}' depends on itself` },
        ];
      }
      if (keys.has(parent)) return [];
      return [
        {
          kind: 'unknown_dependency',
          keys: [node.key, parent],
          message: `task '${node.key}' depends on '${parent}', which is not a task of this job`,
        },
      ];
    }),
  );
}

/** Walks depth first, without recursion: a chain of 1,000 tasks must not exhaust the stack. */
function findCycle(nodes: readonly GraphNode[]): string[] | null {
  const parents = new Map(nodes.map((node) => [node.key, node.dependsOn.filter((key) => key !== node.key)]));
  const done = new Set<string>();
  for (const { key: start } of nodes) {
    const path: string[] = [];
    const onPath = new Set<string>();
    const stack: { key: string; next: number }[] = [{ key: start, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (!top) break;
      if (top.next === 0) {
        if (done.has(top.key)) {
          stack.pop();
          continue;
        }
        path.push(top.key);
        onPath.add(top.key);
      }
      const parent = parents.get(top.key)?.[top.next++];
      if (parent === undefined) {
        done.add(top.key);
        onPath.delete(top.key);
        path.pop();
        stack.pop();
      } else if (onPath.has(parent)) {
        // The path goes from child to parent; people read the arrows from parent to child.
        return path.slice(path.indexOf(parent)).reverse();
      } else if (!done.has(parent)) {
        stack.push({ key: parent, next: 0 });
      }
    }
  }
  return null;
}
