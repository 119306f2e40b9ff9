/** What a task's process must bring before user code: its own libraries, then its environment's dependencies. */
import type { JobSettings, LibrarySpec } from '@headrace/api';
import type { Failure } from '@headrace/core';
import type { LibraryDocument } from '@headrace/worker';
import type { WrittenTask } from '../runs/task-documents.ts';

/** A Failure names the library that cannot be had here. */
export function toLibraries(task: WrittenTask, settings: JobSettings): LibraryDocument[] | Failure {
  const own = toLibraryDocuments(task.libraries ?? []);
  if ('code' in own) return own;
  // An old way to name the JAR of a JAR task.
  const uri = task.spark_jar_task?.jar_uri ?? '';
  const libraries: LibraryDocument[] = uri === '' ? own : [...own, { jar: uri }];
  if (task.environment_key === undefined) return task.dbt_task ? withDbt(libraries) : libraries;
  const { environment_key } = task;
  const environment = (settings.environments ?? []).find((each) => each.environment_key === environment_key);
  if (environment === undefined) return refuse(`The job has no environment '${environment_key}'.`);
  const { spec } = environment;
  const jars = textsOf(spec, 'java_dependencies').map((jar) => ({ jar }));
  return [...libraries, ...textsOf(spec, 'dependencies').map(toDependency), ...jars];
}

/** dbt itself, where the task brings none: versions that were tried together, November 2026. */
const dbtDefaults = ['dbt-core==1.11.16', 'dbt-databricks==1.12.7'];

function withDbt(libraries: LibraryDocument[]): LibraryDocument[] {
  const names = libraries.flatMap((library) => {
    if ('whl' in library) return [library.whl.split('/').at(-1) ?? ''];
    // What a requirements file brings is its own business.
    if ('requirements' in library) return ['dbt-core'];
    return 'pypi' in library ? [library.pypi.package] : [];
  });
  if (names.some((name) => /^dbt[-_]/i.test(name.trim()))) return libraries;
  return [...libraries, ...dbtDefaults.map((name) => ({ pypi: { package: name, repo: null } }))];
}

export function toLibraryDocuments(written: readonly LibrarySpec[]): LibraryDocument[] | Failure {
  const libraries: LibraryDocument[] = [];
  for (const library of written) {
    const document = toLibrary(library);
    if ('code' in document) return document;
    libraries.push(document);
  }
  return libraries;
}

function toLibrary(library: LibrarySpec): LibraryDocument | Failure {
  if (library.whl !== undefined) return { whl: library.whl };
  if (library.requirements !== undefined) return { requirements: library.requirements };
  if (library.jar !== undefined) return { jar: library.jar };
  if (library.pypi !== undefined) {
    return { pypi: { package: library.pypi.package, repo: library.pypi.repo ?? null } };
  }
  if (library.maven !== undefined) {
    const { coordinates, repo } = library.maven;
    return {
      maven: {
        coordinates,
        repo: typeof repo === 'string' ? repo : null,
        exclusions: textsOf(library.maven, 'exclusions'),
      },
    };
  }
  if (library.egg !== undefined) return refuse(`Eggs are not supported: build a wheel of ${library.egg}.`);
  if (library.cran !== undefined)
    return refuse(`R is not supported, so neither is the library ${library.cran.package} of CRAN.`);
  return refuse(`A library of kind ${Object.keys(library).join(', ') || 'none'} is not supported.`);
}

function refuse(message: string): Failure {
  return { code: 'LIBRARY_INSTALLATION_ERROR', message, trace: null };
}

/** A field of a document that is kept as it was written. */
function textsOf(document: unknown, field: string): string[] {
  if (typeof document !== 'object' || document === null || !(field in document)) return [];
  const texts: unknown = Reflect.get(document, field);
  return Array.isArray(texts) ? texts.filter((entry) => typeof entry === 'string') : [];
}

/** Lines of a requirements file: a wheel's path, `-r` with a path, an option, or a package. */
function toDependency(line: string): LibraryDocument {
  const text = line.trim();
  const requirements = /^(?:-r|--requirement)[ =]?\s*(.+)$/.exec(text)?.[1];
  if (requirements !== undefined) return { requirements };
  return text.endsWith('.whl') && !text.includes('://')
    ? { whl: text }
    : { pypi: { package: text, repo: null } };
}
