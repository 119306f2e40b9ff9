/** The files that start drivers or whole servers come first: what is long must not begin when all else has ended. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By what was measured on two cores, the longest first. */
const long = [
  'test/e2e/kill.test.ts',
  'test/integration/compute/spark-standalone.test.ts',
  'test/integration/host/spark.test.ts',
  'test/integration/crash/sweep.test.ts',
  'test/integration/jars/jar-tasks.test.ts',
  'test/chaos/chaos.test.ts',
  'test/integration/sql/killed-writers.test.ts',
  'test/integration/host/proven-stop.test.ts',
  'test/integration/operations/backup.test.ts',
  'test/e2e/control-flow.test.ts',
  'test/integration/workers/processes.test.ts',
  'test/integration/blobs/server.test.ts',
  'test/e2e/web-run.test.ts',
  'test/integration/workers/losses.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const index = long.findIndex((name) => moduleId.endsWith(`/${name}`));
      return index === -1 ? long.length : index;
    };
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}
