/** `headrace secrets rotate-key` */
import type { Client, SecretKeyStatus } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly status?: boolean;
  readonly wait: boolean;
  readonly autoApprove?: boolean;
}

const pollMs = 2_000;
/** Fifty values take less than a second; a server that has just started turns its loops within one minute. */
const stalledAfterMs = 120_000;

export function createSecretsRotateKeyCommand(context: CliContext): Command {
  const command = new Command('rotate-key')
    .description('seal all secrets and Git credentials with a new key; only administrators may')
    .option('--status', 'only tell which key seals, and how far the change of it is')
    .option('--no-wait', 'return at once')
    .option('--auto-approve', 'do not ask before a key takes over that was only prepared')
    .addHelpText('after', example('secrets rotate-key'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const before = await client.secretKeyGet({});
      if (!options.status) await approve(context, describeTakeover(before), options);
      const asked = options.status ? before : await client.secretKeyRotate({});
      const status = options.status || !options.wait ? asked : await waitUntilSealed(context, client, asked);
      if (status.problem === undefined || options.output === 'json')
        printDocument(context, options, status, () => toText(status));
      if (status.problem !== undefined)
        throw new CommandError(status.problem, { exitCode: exitCodes.failed, cure: 'then ask again' });
    });
  return addOutputOption(addConnectionOptions(command));
}

/** Only of a key that was there before: one that is made now is in no use yet where servers share a store. */
function describeTakeover({ state, file }: SecretKeyStatus): string | undefined {
  if (state !== 'PREPARED') return undefined;
  return (
    `All secrets are sealed with the key in the last line of ${file} from now on: a server of this store whose file ` +
    'lacks that line can read none of them.'
  );
}

/** Until it is done or has a problem. */
async function waitUntilSealed(
  context: CliContext,
  client: Client,
  asked: SecretKeyStatus,
): Promise<SecretKeyStatus> {
  let status = asked;
  let waitedMs = 0;
  while (status.state === 'RESEALING' && status.problem === undefined) {
    if (waitedMs >= stalledAfterMs) throw stalled(status);
    const { values_left: left } = status;
    await context.clock.sleep(pollMs, context.interrupted);
    context.interrupted.throwIfAborted();
    status = await client.secretKeyGet({});
    waitedMs += pollMs;
    if (status.values_left === left) continue;
    waitedMs = 0;
    note(context, `${status.values_left} of ${status.values} values are left`);
  }
  return status;
}

function stalled({ values_left: left, retiring }: SecretKeyStatus): CommandError {
  return new CommandError(
    `for ${stalledAfterMs / 60_000} minutes none of the ${left} values that still have key ${retiring.join(', ')} was sealed anew`,
    {
      exitCode: exitCodes.failed,
      cure: "the server's log names values that do not open, and `headrace doctor` loops that do not turn; then ask again",
    },
  );
}

function toText(status: SecretKeyStatus): string {
  const { state, fingerprint = 'none', file, values, values_left: left, retiring } = status;
  if (state === 'PREPARED') {
    return (
      `a new key is in ${file}, and nothing is sealed with it yet: see that every server of this store has the file ` +
      'as it is now, then run `headrace secrets rotate-key` again'
    );
  }
  if (state === 'RESEALING')
    return `key ${fingerprint} seals; ${left} of ${values} values still have key ${retiring.join(', ')}`;
  return `key ${fingerprint} of ${file} seals all ${values} values`;
}
