/** Puts the parts together that reach Git repositories. */
import { inheritedEnvironment } from './config.ts';
import { createCheckouts } from './git/checkouts.ts';
import type { GitServices } from './git/run-checkout.ts';
import { createGit } from './git/run-git.ts';
import type { SecretKeys } from './secrets/secret-key.ts';
import type { Services } from './services.ts';

export interface GitParts extends GitServices {
  /** Ends what runs. */
  stop(): void;
}

export function composeGit(services: Services, keys: SecretKeys): GitParts {
  const { db, ids, config, log, blobs } = services;
  const { gitProtocols: protocols } = config;
  const environment = inheritedEnvironment();
  const git = createGit({ protocols, environment });
  const checkouts = createCheckouts({
    ...{ blobs, git },
    isLocalAllowed: protocols.includes('http') || protocols.includes('file'),
    hasProxy: ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'].some((name) => environment[name]),
  });
  return { db, ids, config, log, keys, checkouts, stop: git.stop };
}
