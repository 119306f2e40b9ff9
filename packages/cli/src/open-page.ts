/** Shows a page in the person's browser, through whatever opens pages on this system. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

type Environment = Readonly<Record<string, string | undefined>>;

/** false: nothing here opens pages. */
export async function openPage(
  url: string,
  { platform, environment }: { readonly platform: NodeJS.Platform; readonly environment: Environment },
): Promise<boolean> {
  const opener = findOpener(platform, environment);
  if (opener === null) return false;
  const [command, ...args] = opener;
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  try {
    await once(child, 'spawn');
  } catch {
    // It is not installed.
    return false;
  }
  // The browser outlives this command.
  child.unref();
  return true;
}

/** null: there is no screen. */
export function findOpener(
  platform: NodeJS.Platform,
  environment: Environment,
): readonly [string, ...string[]] | null {
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  const { DISPLAY, WAYLAND_DISPLAY, BROWSER, WSL_DISTRO_NAME } = environment;
  const hasScreen = [DISPLAY, WAYLAND_DISPLAY, BROWSER, WSL_DISTRO_NAME].some((value) => value);
  return hasScreen ? ['xdg-open'] : null;
}
