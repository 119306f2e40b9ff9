// Local wheels and jars that jobs name, as files; and wheel tasks for whose package there is no wheel.

import { glob } from 'node:fs/promises';
import path from 'node:path';
import { listAt, type Node, at as nodeAt, textAt } from '../nodes.ts';
import { findWheel, type LocalLibrary, type PreparedArtifact } from '../plan/prepared-bundle.ts';
import { errorAt, type Position, type Problem } from '../problem.ts';
import { tasksOf } from '../resolve/job-tasks.ts';
import type { ResolvedBundle } from '../resolve/resolved-bundle.ts';
import { LOCAL_PREFIX } from '../resolve/translate-paths.ts';
import { findOwner, selectOutputs } from './artifact-files.ts';
import { readBuilt } from './build-artifact.ts';
import { describeLibrary } from './describe-library.ts';

export interface FoundLibraries {
  readonly libraries: ReadonlyMap<string, readonly LocalLibrary[]>;
  readonly problems: Problem[];
}

export async function findLibraries(
  bundle: ResolvedBundle,
  artifacts: readonly PreparedArtifact[],
): Promise<FoundLibraries> {
  const libraries = new Map<string, readonly LocalLibrary[]>();
  const problems: Problem[] = [];
  for (const { text, at } of localLibraries(bundle)) {
    if (libraries.has(text)) continue;
    const pattern = text.slice(LOCAL_PREFIX.length);
    const owner = findOwner(pattern, bundle.artifacts);
    const built = artifacts.find(({ name }) => name === owner?.name)?.files ?? [];
    const found = owner === undefined ? await matchLibraries(pattern, bundle) : selectOutputs(pattern, built);
    libraries.set(text, found);
    if (found.length === 0)
      problems.push(
        errorAt(at, `no file matches '${pattern}'; build it first, or declare it under artifacts`),
      );
  }
  problems.push(...findWheellessTasks(bundle, artifacts));
  return { libraries, problems };
}

async function matchLibraries(pattern: string, bundle: ResolvedBundle): Promise<LocalLibrary[]> {
  const found: LocalLibrary[] = [];
  for await (const match of glob(pattern, { cwd: bundle.folder })) {
    found.push(describeLibrary(await readBuilt(path.join(bundle.folder, match)), bundle));
  }
  return found.sort((a, b) => (a.file_name < b.file_name ? -1 : 1));
}

function localLibraries(bundle: ResolvedBundle): { text: string; at: Position }[] {
  return bundle.jobs.flatMap((job) => [
    ...listAt(job.node, 'tasks').flatMap((task) => librariesOf(task)),
    ...listAt(job.node, 'environments').flatMap((environment) =>
      listAt(environment, 'spec', 'dependencies').flatMap(toLocal),
    ),
  ]);
}

function librariesOf(task: Node): { text: string; at: Position }[] {
  const nested = nodeAt(task, 'for_each_task', 'task');
  const own = listAt(task, 'libraries').flatMap((library) =>
    ['whl', 'jar'].flatMap((kind) => toLocal(nodeAt(library, kind))),
  );
  return nested === undefined ? own : [...own, ...librariesOf(nested)];
}

function toLocal(node: Node | undefined): { text: string; at: Position }[] {
  const text = textAt(node);
  return node !== undefined && text?.startsWith(LOCAL_PREFIX) ? [{ text, at: node.at }] : [];
}

/** A wheel task that names neither libraries nor a package of the bundle would fail when it runs. */
function findWheellessTasks(bundle: ResolvedBundle, artifacts: readonly PreparedArtifact[]): Problem[] {
  const built = artifacts
    .flatMap(({ files }) => files)
    .filter((file) => file.file_name.endsWith('.whl'))
    .map((file) => file.package_name);
  return bundle.jobs.flatMap((job) =>
    tasksOf(job.node).flatMap(({ node: task }) => {
      const node = nodeAt(task, 'python_wheel_task', 'package_name');
      const name = textAt(node);
      const hasOthers =
        nodeAt(task, 'libraries') !== undefined || nodeAt(task, 'environment_key') !== undefined;
      if (node === undefined || name === null || hasOthers) return [];
      if (findWheel(name, { artifacts }) !== undefined) return [];
      const message = `no artifact builds package '${name}' and the task names no libraries; artifacts build: ${built.join(', ') || 'none'}`;
      return [errorAt(node.at, message)];
    }),
  );
}
