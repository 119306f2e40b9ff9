/** `headrace runs cancel` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { print } from '../../output/print.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';

export function createRunsCancelCommand(context: CliContext): Command {
  const command = new Command('cancel')
    .description('ask a run, or the run of one task, to stop')
    .argument('<run>', 'id of the run', parseId)
    .addHelpText('after', example('runs cancel 2077'))
    .action(async (runId: number, options: ConnectionOptions) => {
      const client = await connect(context, options);
      await client.runsCancel({ run_id: runId });
      print(context, `run ${runId} was asked to stop`);
    });
  return addConnectionOptions(command);
}
