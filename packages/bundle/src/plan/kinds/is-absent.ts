import { ApiError } from '@headrace/api';

/** Something that was asked about is not there: a file, a folder, a resource. */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  // For an unknown job or cluster clients expect 400 and a sentence (DECISIONS, "Errors").
  return (
    error.code === 'RESOURCE_DOES_NOT_EXIST' ||
    (error.code === 'INVALID_PARAMETER_VALUE' && error.message.includes('does not exist'))
  );
}

export async function nullIfAbsent<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}
