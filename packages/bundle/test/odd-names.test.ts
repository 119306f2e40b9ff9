// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
// Names that every object of the language has are names like any other, wherever a bundle may hold one.

import { expect, test } from 'vitest';
import { loadBundle } from '../src/load/load-bundle.ts';
import { formatProblem } from '../src/problem.ts';
import { aBundleFolder, FACTS } from '../src/testing/bundle-folder.ts';
import { checkBundle } from '../src/validate/validate-bundle.ts';

const bundleWith = (name: string) =>
  `bundle: {name: a, K: {x: 1}}
presets: {K: 1, tags: {K: x}}
variables: {K: {default: 1}, y: {lookup: {K: z}}, z: {K: 1}}
workspace: {K: x}
sync: {K: [a]}
artifacts: {K: {type: whl, K: 1}, b: {K: 1, type: K, executable: K}}
permissions: [{level: K, user_name: K}, {K: 1}]
run_as: {K: x}
scripts: {K: {content: x}, L: {K: 1}}
K: 1
targets: {K: {K: 1, mode: K, default: true, resources: {jobs: {K: {K: 1}}}, variables: {K: 2}}}
resources:
  K: {K: {K: 1}}
  clusters: {K: {K: 1}}
  schemas: {K: {name: K}}
  jobs:
    K:
      name: "\${var.K} \${resources.K.K.id} \${resources.jobs.K.K} \${bundle.K} \${K.K.K} \${var.z.K}"
      K: 1
      tags: {K: 1}
      schedule: {quartz_cron_expression: K, timezone_id: K}
      parameters: [{name: K, default: K}]
      tasks:
        - task_key: K
          K: 1
          depends_on: [{task_key: K, outcome: K}]
          notebook_task: {notebook_path: K, base_parameters: {K: "{{K.K}}", b: "{{tasks.K.values.K}}"}}
          condition_task: {op: K, left: 1, right: 2}
          new_cluster: {K: 1, spark_conf: {K: 1}}
          libraries: [{K: 1}]
          job_cluster_key: K
`.replaceAll(/\bK\b/g, name);

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '0'])('%s', async (name) => {
  await using folder = await aBundleFolder({ 'databricks.yml': bundleWith(name) });

  const { problems } = checkBundle(await loadBundle(folder.folder), { facts: FACTS, vars: { [name]: 'x' } });

  expect(problems.length).toBeGreaterThan(30);
  for (const finding of problems.map(formatProblem))
    expect(finding).not.toMatch(/function |object Object|undefined/);
});
