import { describe, expect, it } from 'vitest';
import { evaluateTemplate } from './evaluate-template.ts';
import { parseTemplate } from './template-syntax.ts';

const facts = {
  workspaceHost: 'http://127.0.0.1:8080',
  userName: 'ada.lovelace@example.com',
  isServicePrincipal: false,
  defaultCatalog: 'dev',
  bundleUuid: 'b-1',
};

function render(text: string, values = {}, skipped: string[] = []): string {
  const context = { facts, onSkip: (pattern: string) => skipped.push(pattern) };
  return evaluateTemplate(parseTemplate(text, 'a.tmpl'), values, context);
}

describe('a template', () => {
  it.each([
    ['plain text', 'plain text'],
    ['{{.name}} and {{ .name }}', 'x and x'],
    ['a {{- .name -}} b', 'axb'],
    ['a{{/* told {{nobody}} */}}b', 'ab'],
    ['{{"{{job.id}}"}}', '{{job.id}}'],
    ['{{`a "b"`}}', 'a "b"'],
    ['{{if .yes}}a{{else}}b{{end}}', 'a'],
    ['{{if .no}}a{{else if eq .name "x"}}b{{else}}c{{end}}', 'b'],
    ['{{if and .yes (not .no)}}a{{end}}', 'a'],
    ['{{if or .no (eq .name "y" "x")}}a{{end}}', 'a'],
    ['{{if (regexp "^[a-z]+$").MatchString .name}}a{{end}}', 'a'],
    ['{{range .list}}<{{.}}>{{end}}', '<1><2>'],
    ['{{range $i, $x := .list}}{{$i}}={{$x}};{{end}}', '0=1;1=2;'],
    ['{{range .empty}}a{{else}}none{{end}}', 'none'],
    ['{{with .map}}{{.a}}{{$.name}}{{end}}', '1x'],
    ['{{$v := "a"}}{{if .yes}}{{$v = "b"}}{{end}}{{$v}}', 'b'],
    ['{{define "t"}}[{{.}}]{{end}}{{template "t" .name}}', '[x]'],
    ['{{.name | printf "%s-%q" "y"}}', 'y-"x"'],
    ['{{len .list}}{{index .list 1}}{{index .map "a"}}', '221'],
    ['{{short_name}} {{user_name}}', 'ada_lovelace ada.lovelace@example.com'],
    ['{{range (map (pair "b" 2) (pair "a" 1))}}{{.}}{{end}}', '12'],
  ])('%s gives %s', (text, expected) => {
    const values = { name: 'x', yes: true, no: false, list: [1, 2], empty: [], map: { a: 1 } };
    expect(render(text, values)).toBe(expected);
  });

  it.each([
    ['{{.nme}}', 'there is no value .nme'],
    ['\n  {{if .a}}', 'a.tmpl:2:3: this block has no {{end}}'],
    ['{{end}}', '{{end}} stands outside of a block'],
    ['{{.a', 'not closed with }}'],
    ['{{nothing 1}}', "there is no function 'nothing'"],
    ['{{fail "no %s" "luck"}}', 'no luck'],
    ['{{template "t"}}', 'no template is defined as "t"'],
    ['{{define "t"}}{{template "t"}}{{end}}{{template "t"}}', 'without end'],
    ['{{$v = 1}}', 'variable $v is not declared'],
    ['{{.a | }}', 'a value is missing'],
    ['{{}}', 'this action is empty'],
    ['{{@}}', "'@' is not understood"],
    ['{{constructor}}', "there is no function 'constructor'"],
    ['{{.a.constructor}}', 'there is no value .a.constructor'],
    [`{{regexp "${'a'.repeat(201)}"}}`, 'at most 200 characters'],
    [`{{(regexp "a").MatchString "${'a'.repeat(1_001)}"}}`, 'at most 1000 characters'],
    [`${'{{if true}}'.repeat(2_000)}`, 'nested more than 100 deep'],
    [`{{${'('.repeat(2_000)}1${')'.repeat(2_000)}}}`, 'nested more than 100 deep'],
  ])('%s fails with %s', (text, expected) => {
    expect(() => render(text, { a: {} })).toThrow(expected);
  });

  it('ends also when it was written to go on for ever', () => {
    const list = Array.from({ length: 2_000 }, (_, index) => index);
    expect(() => render('{{range .list}}{{range $.list}}{{.}}{{end}}{{end}}', { list })).toThrow('steps');
  });

  it('tells what it skips', () => {
    const skipped: string[] = [];
    render('{{if not .yes}}{{skip "notebooks"}}{{end}}', { yes: false }, skipped);
    expect(skipped).toEqual(['notebooks']);
  });
});
