/** `headrace doctor` */
import type { DoctorFinding, DoctorReport } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { count } from '../../output/count.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';

type Options = ConnectionOptions & OutputOptions & { readonly deep?: boolean };

export function createDoctorCommand(context: CliContext): Command {
  const command = new Command('doctor')
    .description('check what must hold of runs, attempts, loops and the machine; changes nothing')
    .option('--deep', 'also check each active run against all its rules')
    .addHelpText('after', example('doctor', 'doctor --deep'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const report = await client.doctor({ deep: options.deep ?? false });
      printDocument(context, options, report, () => formatReport(report));
      const errors = report.findings.filter(({ severity }) => severity === 'error').length;
      if (errors === 0) return;
      throw new CommandError(`${count(errors, 'error')} found`, {
        exitCode: exitCodes.failed,
        cure: 'each says above what to do; docs/operations.md says more',
      });
    });
  return addOutputOption(addConnectionOptions(command));
}

function formatReport({ checks, findings, task_limits, hosted_paths }: DoctorReport): string {
  const told =
    findings.length === 0
      ? `${count(checks.length, 'check')}, all well`
      : findings.map(formatFinding).join('\n\n');
  return [told, task_limits, hosted_paths].filter((text) => text !== undefined).join('\n\n');
}

function formatFinding({ severity, kind, message, advice, history }: DoctorFinding): string {
  const events = history.map(({ at_ms, kind: what, task_key, detail }) => {
    const about = [task_key, detail === undefined ? undefined : JSON.stringify(detail)].filter(Boolean);
    return `    ${formatInstant(at_ms)}  ${[what, ...about].join('  ')}`;
  });
  return [`${severity} ${kind}`, `  ${message}`, `  ${advice}`, ...events].join('\n');
}
