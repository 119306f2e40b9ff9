/** `headrace bundle schema` */
import { buildBundleJsonSchema } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { print } from '../../output/print.ts';
import { example } from '../example.ts';

export function createBundleSchemaCommand(context: CliContext): Command {
  return new Command('schema')
    .description('print the JSON Schema of bundle files, with which editors complete and check')
    .addHelpText('after', example('bundle schema > bundle.schema.json'))
    .action(() => print(context, JSON.stringify(buildBundleJsonSchema(), null, 2)));
}
