/** Why a host did not start, where more than a sentence is known. */

export const hostFailureCodes = [
  'INIT_SCRIPT_FAILURE',
  'START_FAILURE',
  /** Its container image cannot be had. */
  'IMAGE_FAILURE',
  /** No machine has room for it. */
  'NO_CAPACITY',
] as const;
export type HostFailureCode = (typeof hostFailureCodes)[number];

export class HostStartError extends Error {
  readonly code: HostFailureCode;

  constructor(code: HostFailureCode, message: string) {
    super(message);
    this.name = 'HostStartError';
    this.code = code;
  }
}

/** The cluster was terminated, or has changed, while its host was starting. */
export class HostUnwantedError extends Error {
  /** Another host takes its place. */
  readonly isReplaced: boolean;

  constructor(message: string, isReplaced: boolean) {
    super(message);
    this.name = 'HostUnwantedError';
    this.isReplaced = isReplaced;
  }
}
