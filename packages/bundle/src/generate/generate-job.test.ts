import { ApiError, type JobSettings } from '@headrace/api';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type GenerateClient, generateJob, toKey } from './generate-job.ts';

type Objects = Readonly<Record<string, { readonly language?: 'PYTHON' | 'SQL'; readonly content: string }>>;

/** A workspace of one job and some files. */
function makeClient(settings: JobSettings, objects: Objects = {}): GenerateClient {
  const absent = (what: string) => new ApiError('RESOURCE_DOES_NOT_EXIST', `${what} does not exist`);
  const inFolder = (folder: string) => Object.keys(objects).filter((name) => name.startsWith(`${folder}/`));
  const describeObject = (path: string) => {
    const found = objects[path];
    if (found === undefined) return { path, object_type: 'DIRECTORY' as const, object_id: 1 };
    const { language } = found;
    if (language === undefined) return { path, object_type: 'FILE' as const, object_id: 1 };
    return { path, object_type: 'NOTEBOOK' as const, object_id: 1, language };
  };
  const client = {
    jobsGet: async ({ job_id }: { job_id: number }) => {
      if (job_id !== 7) throw absent(`Job ${job_id}`);
      return { job_id, settings };
    },
    workspaceGetStatus: async ({ path }: { path: string }) => {
      if (objects[path] === undefined && inFolder(path).length === 0) throw absent(path);
      return describeObject(path);
    },
    workspaceList: async ({ path }: { path: string }) => {
      const children = inFolder(path).map((name) => name.slice(path.length + 1).split('/')[0]);
      return { objects: [...new Set(children)].map((name) => describeObject(`${path}/${name}`)) };
    },
    workspaceExport: async ({ path }: { path: string }) => ({
      content: Buffer.from(objects[path]?.content ?? '').toString('base64'),
    }),
  };
  return client as unknown as GenerateClient; // as much of it as is called
}

const options = { jobId: 7, configFolder: 'resources', sourceFolder: 'src' };

describe('a job written into a bundle', () => {
  it('names local files in place of those of the workspace, and leaves defaults out', async () => {
    const client = makeClient(
      {
        name: 'Orders: daily (EU)',
        format: 'MULTI_TASK',
        max_concurrent_runs: 1,
        deployment: { kind: 'BUNDLE', metadata_file_path: '/x' },
        tasks: [
          { task_key: 'a', notebook_task: { notebook_path: '/Users/me/load' }, timeout_seconds: 0 },
          { task_key: 'b', notebook_task: { notebook_path: '/Users/other/load' } },
          { task_key: 'c', sql_task: { file: { path: '/Shared/q.sql' }, warehouse_id: 'w' } },
          { task_key: 'd', spark_python_task: { python_file: '/Volumes/a/b/c/x.py' } },
          { task_key: 'e', dbt_task: { project_directory: '/Shared/dbt', commands: ['dbt build'] } },
          { task_key: 'f', notebook_task: { notebook_path: '/gone' } },
        ],
      },
      {
        '/Users/me/load': { language: 'PYTHON', content: 'mine' },
        '/Users/other/load': { language: 'PYTHON', content: 'theirs' },
        '/Shared/q.sql': { content: 'select 1' },
        '/Shared/dbt/dbt_project.yml': { content: 'name: x' },
        '/Shared/dbt/models/a.sql': { content: 'select 2' },
      },
    );
    const { key, files } = await generateJob(client, options);
    expect(key).toBe('orders_daily_eu');
    const contents = Object.fromEntries(files.map((file) => [file.path, String(file.content)]));
    expect(parse(contents['resources/orders_daily_eu.job.yml'] ?? '')).toEqual({
      resources: {
        jobs: {
          orders_daily_eu: {
            name: 'Orders: daily (EU)',
            tasks: [
              { task_key: 'a', notebook_task: { notebook_path: '../src/load.py' } },
              { task_key: 'b', notebook_task: { notebook_path: '../src/load_2.py' } },
              { task_key: 'c', sql_task: { file: { path: '../src/q.sql' }, warehouse_id: 'w' } },
              { task_key: 'd', spark_python_task: { python_file: '/Volumes/a/b/c/x.py' } },
              { task_key: 'e', dbt_task: { project_directory: '../src/dbt', commands: ['dbt build'] } },
              { task_key: 'f', notebook_task: { notebook_path: '/gone' } },
            ],
          },
        },
      },
    });
    expect(contents).toMatchObject({
      'src/load.py': 'mine',
      'src/load_2.py': 'theirs',
      'src/q.sql': 'select 1',
      'src/dbt/models/a.sql': 'select 2',
    });
  });

  it('that does not exist is told', async () => {
    await expect(generateJob(makeClient({}), { ...options, jobId: 8 })).rejects.toThrow('there is no job 8');
  });

  it.each([
    ['Orders: daily (EU)', 'orders_daily_eu'],
    ['***', 'job'],
  ])('%s gets the key %s', (name, key) => {
    expect(toKey(name)).toBe(key);
  });
});
