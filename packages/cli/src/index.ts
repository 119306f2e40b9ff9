/** The command as a function, for scripts and tests of this repository. */
export type { CliContext, Clock, Output } from './cli-context.ts';
export { readSettings } from './config.ts';
export { runCli } from './run-cli.ts';
