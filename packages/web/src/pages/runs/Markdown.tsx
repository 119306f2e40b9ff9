import { createElement, useMemo } from 'react';
import { type Block, type Inline, readMarkdown } from './read-markdown.ts';

export function Markdown({ source }: { source: string }) {
  const blocks = useMemo(() => readMarkdown(source), [source]);
  return (
    <div className="markdown">
      {blocks.map((block, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the text does not change, its parts stay where they are
        <BlockView key={at} block={block} />
      ))}
    </div>
  );
}

/** The page's own headings are of levels one and two. */
const headingOffset = 2;

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case 'heading': {
      const level = Math.min(6, block.level + headingOffset);
      const className = `markdown-heading-${block.level}`;
      return createElement(`h${level}`, { className }, <Inlines parts={block.children} />);
    }
    case 'paragraph':
      return (
        <p>
          <Inlines parts={block.children} />
        </p>
      );
    case 'quote':
      return (
        <blockquote>
          <Inlines parts={block.children} />
        </blockquote>
      );
    case 'code':
      return <pre className="code">{block.text}</pre>;
    case 'rule':
      return <hr />;
    case 'list':
      return createElement(
        block.isOrdered ? 'ol' : 'ul',
        null,
        block.entries.map((parts, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: as above
          <li key={at}>
            <Inlines parts={parts} />
          </li>
        )),
      );
  }
}

function Inlines({ parts }: { parts: readonly Inline[] }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: as above
  return parts.map((part, at) => <InlineView key={at} part={part} />);
}

function InlineView({ part }: { part: Inline }) {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'code':
      return <code>{part.text}</code>;
    case 'strong':
      return (
        <strong>
          <Inlines parts={part.children} />
        </strong>
      );
    case 'emphasis':
      return (
        <em>
          <Inlines parts={part.children} />
        </em>
      );
    case 'link':
      return (
        <a href={part.href} target="_blank" rel="noopener noreferrer">
          <Inlines parts={part.children} />
        </a>
      );
  }
}
