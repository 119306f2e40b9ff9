import type { NotebookCell } from '@headrace/api';

/** Without the magic word that says the language, which stands beside the cell; `%run` names what it runs and stays. */
export function sourceToShow({ language, source }: Pick<NotebookCell, 'language' | 'source'>): string {
  if (language === 'run') return source;
  return source.replace(/^\s*%%?(?:md(?:-sandbox)?|sql|python)(?:[ \t]*\n|[ \t]+|$)/, '');
}
