// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { toPlain } from '../nodes.ts';
import { aBundleFolder, findingsOf, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';

const MAIN = 'bundle: {name: shop}\ninclude: [resources/*.yml]\nworkspace: {root_path: /Shared/x}\n';
const FILES = '/Workspace/Shared/x/files';

const task = (key: string, text: string) => `        - {task_key: ${key}, ${text}}\n`;
const job = (tasks: string, more = '') => `resources:\n  jobs:\n    daily:\n${more}      tasks:\n${tasks}`;

test('every kind of path of a job is written as its place in the workspace', async () => {
  await using folder = await aBundleFolder({
    'databricks.yml': `${MAIN}artifacts: {lib: {type: whl, path: .}}\n`,
    'resources/daily.yml': job(
      task('sql', 'sql_task: {warehouse_id: w, file: {path: ../sql/report.sql}}') +
        task('dbt', 'dbt_task: {project_directory: ../dbt/, commands: [dbt run]}') +
        task(
          'libs',
          'spark_python_task: {python_file: ../src/x.py}, libraries: [{requirements: ../requirements.txt}, {whl: ../dist/*.whl}, {whl: ./dist/lib.whl}, {jar: /Volumes/a/b/c.jar}, {pypi: {package: x}}]',
        ) +
        task(
          'init',
          'spark_python_task: {python_file: ../src/x.py}, new_cluster: {spark_version: x, num_workers: 1, init_scripts: [{workspace: {destination: ../init.sh}}, {workspace: {destination: /Shared/i.sh}}]}',
        ),
      '      environments: [{environment_key: e, spec: {environment_version: "2", dependencies: [requests, "-r ../requirements.txt", "-r /Shared/r.txt", ../dist/*.whl, "a==1; python_version<\'4\'", "b @ https://x.example/b.whl"]}}]\n',
    ),
    'sql/report.sql': 'select 1\n',
    'dbt/dbt_project.yml': 'name: a\n',
    'src/x.py': '',
    'requirements.txt': '',
    'init.sh': '',
  });

  const { bundle, findings } = await resolve(folder);

  expect(findings).toEqual([]);
  expect(bundle.jobs[0]?.settings).toMatchObject({
    environments: [
      {
        spec: {
          dependencies: [
            'requests',
            `-r ${FILES}/requirements.txt`,
            '-r /Shared/r.txt',
            './dist/*.whl',
            "a==1; python_version<'4'",
            'b @ https://x.example/b.whl',
          ],
        },
      },
    ],
    tasks: [
      { sql_task: { file: { path: `${FILES}/sql/report.sql` } } },
      { dbt_task: { project_directory: `${FILES}/dbt` } },
      {
        libraries: [
          { requirements: `${FILES}/requirements.txt` },
          { whl: './dist/*.whl' },
          { whl: './dist/lib.whl' },
          { jar: '/Volumes/a/b/c.jar' },
          { pypi: { package: 'x' } },
        ],
      },
      {
        new_cluster: {
          init_scripts: [
            { workspace: { destination: `${FILES}/init.sh` } },
            { workspace: { destination: '/Shared/i.sh' } },
          ],
        },
      },
    ],
  });
});

test('paths of a pipeline are written out too, though it is left out', async () => {
  await using folder = await aBundleFolder({
    'databricks.yml': MAIN,
    'resources/p.yml':
      'resources: {pipelines: {p: {libraries: [{notebook: {path: ../src/n.py}}, {file: {path: ../src/f.py}}, {glob: {include: ../src/**}}]}}}\n',
    'src/n.py': NOTEBOOK,
    'src/f.py': '',
  });

  const { bundle, findings } = await resolve(folder);

  expect(findings).toEqual([expect.stringContaining('pipelines are not supported here')]);
  expect(toPlain(bundle.root)).toMatchObject({
    resources: {
      pipelines: {
        p: {
          libraries: [
            { notebook: { path: `${FILES}/src/n` } },
            { file: { path: `${FILES}/src/f.py` } },
            { glob: { include: `${FILES}/src/**` } },
          ],
        },
      },
    },
  });
});

test.each([
  ['notebook_task: {notebook_path: "..\\\\src\\\\n.py"}', /write it with \//],
  ['notebook_task: {notebook_path: "C:/src/n.py"}', /write it with \//],
  [
    'notebook_task: {notebook_path: ../../other/n.py}',
    /'\.\.\/\.\.\/other\/n\.py' leads out of the bundle folder/,
  ],
  [
    'notebook_task: {notebook_path: ../src/N.py}',
    /does not exist .*there is src\/n\.py: capital letters count/,
  ],
  ['notebook_task: {notebook_path: ../src}', /notebook '\.\.\/src' is a folder/],
  ['notebook_task: {notebook_path: ../src/plain.py}', /^warning: .*src\/plain\.py is no notebook/],
  [
    'spark_python_task: {python_file: ../src/n.py}',
    /^warning: .*src\/n\.py is a notebook; run it with notebook_task/,
  ],
  [
    'dbt_task: {project_directory: ../src/gone, commands: [dbt run]}',
    /folder '\.\.\/src\/gone' does not exist/,
  ],
  [
    'spark_python_task: {python_file: ../src/plain.py}, libraries: [{requirements: gone.txt}]',
    /requirements 'gone\.txt' does not exist/,
  ],
])('%s is one finding at its place', async (text, expected) => {
  const findings = await findingsOf({
    'databricks.yml': MAIN,
    'resources/daily.yml': job(task('a', text)),
    'src/n.py': NOTEBOOK,
    'src/plain.py': '',
  });

  expect(findings).toEqual([expect.stringMatching(expected)]);
  expect(findings[0]).toMatch(/^\w+: resources\/daily\.yml:5:/);
});
