/** The public API over the browser's own session cookie; query keys are `[routeName, request]`. */
import { ApiError, type Client, createClient, UnreachableError } from '@headrace/api';
import { QueryClient } from '@tanstack/react-query';

export const client: Client = createClient({ baseUrl: window.location.origin, silenceMsMax: 20_000 });

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // What the server refuses it will refuse again; what it could not hear may come through.
      retry: (failures, error) => !(error instanceof ApiError) && failures < 2,
    },
  },
});

export type Problem = 'signed_out' | 'not_found' | 'unreachable' | 'other';

export function problemOf(error: unknown): Problem {
  if (error instanceof UnreachableError) return 'unreachable';
  if (!(error instanceof ApiError)) return 'other';
  if (error.code === 'UNAUTHENTICATED') return 'signed_out';
  const isUnknown = error.code === 'RESOURCE_DOES_NOT_EXIST' || /does not exist/.test(error.message);
  return isUnknown ? 'not_found' : 'other';
}
