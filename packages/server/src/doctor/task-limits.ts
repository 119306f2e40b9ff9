/** By what means a host keeps tasks to their limits: what headrace_runtime/limits.py and processes.py do there. */
export function describeTaskLimits(platform: NodeJS.Platform): string {
  if (platform === 'linux')
    return 'Limits of tasks: a watch ends what takes more memory or disk than it may; processors are shared by nice levels (cpu_weight). Control groups are not used.';
  return 'Limits of tasks: processors are shared by nice levels (cpu_weight); memory and disk are watched on Linux only.';
}
