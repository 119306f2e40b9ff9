/** `headrace runs delete` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly autoApprove?: boolean;
}

export function createRunsDeleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .description('delete a run that has ended, with its logs and outputs')
    .argument('<run>', 'id of the run', parseId)
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('runs delete 2077'))
    .action(async (runId: number, options: Options) => {
      const client = await connect(context, options);
      await approve(context, `This deletes run ${runId} with its logs and outputs, for good.`, options);
      const answer = await client.runsDelete({ run_id: runId });
      printDocument(context, options, answer, () => `run ${runId} is deleted`);
    });
  return addOutputOption(addConnectionOptions(command));
}
