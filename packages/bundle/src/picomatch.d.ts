// The part of picomatch that is used here; the package ships no types.
declare module 'picomatch' {
  export default function picomatch(
    globs: string | readonly string[],
    options?: { readonly dot?: boolean; readonly ignore?: readonly string[] },
  ): (path: string) => boolean;
}
