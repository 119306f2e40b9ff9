/** What commands that change a deployment say of themselves to those who wait for its lock. */
import os from 'node:os';
import type { LockOptions } from '@headrace/bundle';
import type { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { type ConnectionOptions, connect } from '../../connection.ts';

export interface LockFlags {
  readonly forceLock?: boolean;
}

export function addLockOption(command: Command): Command {
  return command.option('--force-lock', 'take the lock over from whoever is deploying, or was');
}

export async function lockFor(
  context: CliContext,
  options: LockFlags & ConnectionOptions & { readonly target?: string },
  command: string,
): Promise<LockOptions> {
  const target = options.target === undefined ? '' : ` -t ${options.target}`;
  return {
    forceLock: options.forceLock ?? false,
    machine: os.hostname(),
    command: `bundle ${command}${target}`,
    // A Ctrl-C ends every call of the other one, and the lock must be given back after it.
    lastClient: await connect({ ...context, interrupted: new AbortController().signal }, options),
  };
}
