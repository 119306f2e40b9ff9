// A job as it is sent: typed by the contract, with its libraries in place, tagged with this deployment.

import { JobSettings } from '@headrace/api';
import type { ResolvedResource } from '../resolve/resolved-bundle.ts';
import { LOCAL_PREFIX } from '../resolve/translate-paths.ts';
import type { Document } from './planned-action.ts';
import { findWheel, metadataPath, type PreparedBundle } from './prepared-bundle.ts';

export function toJobDocument(job: ResolvedResource, prepared: PreparedBundle): Document {
  const tasks = job.settings.tasks;
  const { lifecycle: _, ...said } = job.settings;
  const settings = {
    ...said,
    ...(Array.isArray(tasks) ? { tasks: tasks.map((task: Document) => withLibraries(task, prepared)) } : {}),
    ...withEnvironments(job.settings, prepared),
    deployment: {
      kind: 'BUNDLE',
      metadata_file_path: metadataPath(prepared.bundle),
      resource: `jobs.${job.key}`,
    },
  };
  const parsed = JobSettings.safeParse(settings);
  return parsed.success ? parsed.data : settings;
}

function withLibraries(task: Document, prepared: PreparedBundle): Document {
  const nested = task.for_each_task as Document | undefined;
  const inner = nested?.task as Document | undefined;
  if (nested !== undefined && inner !== undefined) {
    return { ...task, for_each_task: { ...nested, task: withLibraries(inner, prepared) } };
  }
  const libraries = task.libraries;
  if (Array.isArray(libraries))
    return {
      ...task,
      libraries: libraries.flatMap((library: Document) => toRemoteLibraries(library, prepared)),
    };
  const packageName = (task.python_wheel_task as Document | undefined)?.package_name;
  // With an environment, the wheel comes from its dependencies.
  if (typeof packageName !== 'string' || task.environment_key !== undefined) return task;
  const wheel = findWheel(packageName, prepared);
  return wheel === undefined ? task : { ...task, libraries: [{ whl: wheel.remote_path }] };
}

function toRemoteLibraries(library: Document, prepared: PreparedBundle): Document[] {
  for (const kind of ['whl', 'jar']) {
    const path = library[kind];
    if (typeof path !== 'string' || !path.startsWith(LOCAL_PREFIX)) continue;
    return (prepared.libraries.get(path) ?? []).map((found) => ({ ...library, [kind]: found.remote_path }));
  }
  return [library];
}

function withEnvironments(settings: Document, prepared: PreparedBundle): Document {
  const environments = settings.environments;
  if (!Array.isArray(environments)) return {};
  return {
    environments: environments.map((environment: Document) => {
      const spec = environment.spec as Document | undefined;
      const dependencies = spec?.dependencies;
      if (!Array.isArray(dependencies)) return environment;
      const translated = dependencies.flatMap((dependency: unknown) =>
        typeof dependency === 'string' && dependency.startsWith(LOCAL_PREFIX)
          ? (prepared.libraries.get(dependency) ?? []).map((found) => found.remote_path)
          : [dependency],
      );
      return { ...environment, spec: { ...spec, dependencies: translated } };
    }),
  };
}
