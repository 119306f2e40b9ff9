/** The public API over the browser's own session cookie; query keys are `[routeName, request]`. */
import { ApiError, type Client, createClient, UnreachableError } from '@headrace/api';
import { QueryClient } from '@tanstack/react-query';

export const client: Client = createClient({ baseUrl: window.location.origin, silenceMsMax: 20_000 });

/** Asks whether the server is there, which it says at once, or within 2 s why not: who says nothing for longer is away. */
export const probe: Client = createClient({ baseUrl: window.location.origin, silenceMsMax: 6_000 });

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // A server on this machine is there without a network, which a browser cannot know.
      networkMode: 'always',
      // What the server refuses it will refuse again; what it could not hear may come through.
      retry: (failures, error) => !(error instanceof ApiError) && failures < 2,
    },
    mutations: { networkMode: 'always' },
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
