/** `headrace runs why` */
import type { WhyFact } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { parseId, parseIndex } from '../parse-options.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly task?: string;
  readonly iteration?: number;
}

export function createRunsWhyCommand(context: CliContext): Command {
  const command = new Command('why')
    .description('say why a run, or one of its tasks, waits, was skipped or ended as it did')
    .argument('<run>', 'id of the run', parseId)
    .option('--task <key>', 'ask about this task')
    .option('--iteration <number>', 'of a for-each task: ask about the iteration of this input', parseIndex)
    .addHelpText('after', example('runs why 2077', 'runs why 2077 --task publish'))
    .action(async (runId: number, options: Options) => {
      const client = await connect(context, options);
      const { task, iteration } = options;
      const why = await client.runsWhy({ run_id: runId, task_key: task, iteration });
      printDocument(context, options, why, () =>
        [why.sentence, ...why.facts.map((fact) => `  ${formatFact(fact)}`)].join('\n'),
      );
    });
  return addOutputOption(addConnectionOptions(command));
}

/** `dependency: task_key=gather state=SUCCESS`; the document has them whole. */
function formatFact({ kind, ...fields }: WhyFact): string {
  const words = Object.entries(fields)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return words.length === 0 ? kind : `${kind}: ${words.join(' ')}`;
}
